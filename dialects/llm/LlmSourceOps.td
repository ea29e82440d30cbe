// SPDX-License-Identifier: Apache-2.0
// Values that exist before a token is seen, and the lookup that starts a forward pass.
#ifndef LLCUDA_DIALECTS_LLM_LLMSOURCEOPS_TD
#define LLCUDA_DIALECTS_LLM_LLMSOURCEOPS_TD

def Llm_ParameterOp : Llm_Op<"parameter", [Pure]> {
  let summary = "A tensor of the checkpoint";
  let description = [{
    Names a tensor of the checkpoint, or some rows of it, and says how its numbers are arranged before anything reads
    them. The bytes are read when the engine is written, never here.

    - `first_row`: the value begins at this row of the checkpoint's tensor (tensors that hold several weights).
    - `first_row`, for a vector: the value begins at this multiple of its elements.
    - `pair_rows n of m`: of every `m` rows (elements, for a vector) the first `n` are paired: row i of their first half
      becomes row 2i and row i of the second half row 2i + 1, so that a rotation of halves becomes a rotation of
      adjacent rows. The others stay. `m` is `n` unless it is given.
    - `plus x`: x is added to every element of a vector (norm scales that are stored as `scale - 1`).
    - `encoded`: how the checkpoint holds a vector; f32 unless it is given.

    - C1: the name is not empty.
    - C2: the shape is static.
    - C3: `first_row` is not negative.
    - C4: `pair_rows` is even and positive.
    - C5: `plus` is for vectors.
    - C6: `of` is there with `pair_rows` only and is at least as many; it divides the rows, and so does `pair_rows`
      without it.
    - C7: `encoded` is for vectors and names an encoding.

    ```mlir
    %w = llm.parameter "blk.0.attn_q.weight" pair_rows 64 : !llm.weight<576x576, q4_1>
    %k = llm.parameter "blk.0.attn_qkv.weight" first_row 3072 pair_rows 96 of 128 : !llm.weight<1024x3072, q5_k>
    %s = llm.parameter "blk.0.attn_norm.weight" encoded "bf16" : tensor<576xf32>
    ```
  }];
  let arguments = (ins StrAttr:$name, OptionalAttr<I64Attr>:$first_row, OptionalAttr<I64Attr>:$pair_rows,
                       OptionalAttr<I64Attr>:$group_rows, OptionalAttr<F32Attr>:$plus,
                       OptionalAttr<StrAttr>:$encoding);
  let results = (outs AnyTypeOf<[Llm_WeightType, Llm_Vector]>:$result);
  let builders = [OpBuilder<(ins "::mlir::Type":$type, "::llvm::StringRef":$name), [{
    build($_builder, $_state, type, $_builder.getStringAttr(name), nullptr, nullptr, nullptr, nullptr, nullptr);
  }]>];
  let assemblyFormat = [{
    $name (`first_row` $first_row^)? (`pair_rows` $pair_rows^)? (`of` $group_rows^)? (`plus` $plus^)?
    (`encoded` $encoding^)? attr-dict `:` type($result)
  }];
  let hasVerifier = 1;  // C1 .. C7
}

def Llm_RopeTableOp : Llm_Op<"rope_table", [Pure]> {
  let summary = "Cosines and sines of a rotary embedding";
  let description = [{
    `result[p, i] = magnitude * (cos(p * frequencies[i]), sin(p * frequencies[i]))`, computed in double and rounded to
    f32. Every scaling rule (linear, llama3, yarn, longrope) is a choice of frequencies and magnitude; the importer
    makes it. With `growth g every n` the magnitude of position p is `magnitude * (1 + g * ln(1 + floor(p / n)))`: what
    turns by such a table, if all of it turns, has its scale grow with the position.

    - C1: the result is `PxNx2` with static P >= 1 positions and N >= 1 pairs.
    - C2: there are N frequencies, all finite and not negative.
    - C3: `magnitude` is finite and positive.
    - C4: growth and its period are there together or not at all, finite and positive.

    ```mlir
    %t = llm.rope_table [1.0, 0.1] magnitude 1.0 : tensor<2048x2x2xf32>
    %q = llm.rope_table [1.0, 0.1] magnitude 1.0 growth 0.1 every 1024.0 : tensor<2048x2x2xf32>
    ```
  }];
  let arguments = (ins F64ArrayAttr:$frequencies, F64Attr:$magnitude, OptionalAttr<F64Attr>:$growth,
                       OptionalAttr<F64Attr>:$growth_period);
  let results = (outs Llm_RopeTable:$result);
  let builders = [OpBuilder<(ins "int64_t":$positions, "::llvm::ArrayRef<double>":$frequencies, "double":$magnitude,
                                 "const ::llcuda::PositionGrowth&":$growth)>];
  let assemblyFormat = [{
    $frequencies `magnitude` $magnitude (`growth` $growth^ `every` $growth_period)? attr-dict `:` type($result)
  }];
  let extraClassDeclaration = [{
    ::llvm::SmallVector<double> getFrequencyValues();
    ::llcuda::PositionGrowth getPositionGrowth();
  }];
  let hasVerifier = 1;  // C1 .. C4
}

def Llm_EmbeddingOp : Llm_Op<"embedding", [Pure]> {
  let summary = "Rows of the embedding matrix, by token";
  let description = [{
    `result[r, :] = scale * weight[tokens[r], :]`; without `scale` the row as it is.

    - C1: `result` has as many rows as there are tokens.
    - C2: `result` has as many columns as `weight`.
    - A token outside the weight's rows reads row 0; the runtime refuses such tokens before they get here.
    - `tokens` may be the positions of the rows, for a table of positions; a row of position -1 becomes zeros.

    ```mlir
    %x = llm.embedding %tokens, %w : (tensor<?xi32>, !llm.weight<49152x576, q8_0>) -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Llm_RowIndex:$tokens, Llm_WeightType:$weight, OptionalAttr<F32Attr>:$scale);
  let results = (outs Llm_FloatRows:$result);
  let assemblyFormat = [{
    $tokens `,` $weight (`scale` $scale^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;  // C1, C2
}

#endif
