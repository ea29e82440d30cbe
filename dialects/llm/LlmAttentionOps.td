// SPDX-License-Identifier: Apache-2.0
#ifndef LLCUDA_DIALECTS_LLM_LLMATTENTIONOPS_TD
#define LLCUDA_DIALECTS_LLM_LLMATTENTIONOPS_TD

def Llm_RopeOp : Llm_Op<"rope", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "Rotate pairs of columns of each head by the row's position";
  let description = [{
    With `(c, s) = table[positions[r], i]` the pair `(a, b)` of columns becomes `(a c - b s, a s + b c)`. Of every
    `head_size` columns the first 2N turn, N being the pairs of the table; the others stay. `pairs` says which columns
    form pair i: `adjacent` is (2i, 2i + 1), `halves` is (i, i + N). With a scale the heads are normed before they turn:
    `head_norm(input, scale)`.

    - C1: the columns of `input` are a multiple of `head_size`, which is positive.
    - C2: the table is `PxNx2`, and 2N is at most `head_size`.
    - C3: there is a position for each row.
    - C4: `scale` and a positive `eps` are there together or not at all; `scale` has an element for each of a head.

    ```mlir
    %y = llm.rope %q, %t, %positions head_size 64 pairs adjacent : tensor<?x576xf32>, tensor<2048x32x2xf32>, tensor<?xi32>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$input, Llm_RopeTable:$table, Llm_RowIndex:$positions,
                       Optional<Llm_Vector>:$scale, I64Attr:$head_size, Llm_RopePairsAttr:$pairs,
                       OptionalAttr<F32Attr>:$eps);
  let results = (outs Llm_FloatRows:$result);
  let assemblyFormat = [{
    $input `,` $table `,` $positions `head_size` $head_size `pairs` $pairs (`norm` $scale^ `eps` $eps)? attr-dict
    `:` type($input) `,` type($table) `,` type($positions) (`,` type($scale)^)?
  }];
  let hasVerifier = 1;  // C1 .. C4
}

def Llm_CacheResource : Resource<"::llcuda::llm::CacheResource">;

def Llm_CacheWriteOp : Llm_Op<"cache_write", [MemoryEffects<[MemWrite<Llm_CacheResource>]>]> {
  let summary = "Store keys and values of the rows";
  let description = [{
    Row r of `keys` and `values` becomes position `positions[r]` of sequence `slots[r]` in the cache of the result's
    layer, rounded to its encodings. Rows of position -1 are not written.

    - C1: `keys` and `values` have as many columns as the cache has heads times elements.
    - C2: `keys`, `values`, `positions` and `slots` have the same number of rows.

    ```mlir
    %c = llm.cache_write %k, %v, %positions, %slots
        : (tensor<?x192xf32>, tensor<?x192xf32>, tensor<?xi32>, tensor<?xi32>) -> !llm.cache<layer 0, 3x64, f16, f16>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$keys, Llm_FloatRows:$values, Llm_RowIndex:$positions, Llm_RowIndex:$slots);
  let results = (outs Llm_CacheType:$cache);
  let assemblyFormat = [{
    $keys `,` $values `,` $positions `,` $slots attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;  // C1, C2
}

def Llm_AttentionOp : Llm_Op<"attention", [Pure, Llm_EmitsRows]> {
  let summary = "Attention of the rows over the cache of a layer";
  let description = [{
    For row r at position p of sequence s, query head h and kv head `g = h / (heads / kv heads)`:

    ```
    score[j]  = scale * dot(query[r, h], key[s, j, g])                   j = max(0, p - window + 1) ... p
    score[j]  = softcap * tanh(score[j] / softcap)                       with softcap
    weight[j] = exp(score[j]) / (sum_i exp(score[i]) + exp(sinks[h]))    the last term with sinks
    result[r, h] = sum_j weight[j] * value[s, j, g]
    ```

    With `both_ways` a row sees the whole text of its slot, whose last position is e; its rows are all of one run:

    ```
    j = 0 ... e                                                          without a window
    j = max(0, p - window / 2) ... min(e, p + window / 2)                with one, which is halved without a rest
    ```

    - C1: `query` has `heads` times the cache's head size columns.
    - C2: `heads` is a positive multiple of the cache's heads.
    - C3: `scale` is positive.
    - C4: `window` is positive.
    - C5: `softcap` is positive.
    - C6: `result` has the shape of `query`; int8 rows have a multiple of 32 columns.
    - C7: there is a position and a slot for each row.
    - C8: `sinks` has an element for each head.

    ```mlir
    %y = llm.attention %q, %c, %positions, %slots heads 9 scale 1.25e-01
        : (tensor<?x576xf32>, !llm.cache<layer 0, 3x64, f16, f16>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$query, Llm_CacheType:$cache, Llm_RowIndex:$positions, Llm_RowIndex:$slots,
                       Optional<Llm_Vector>:$sinks, I64Attr:$heads, F32Attr:$scale, OptionalAttr<I64Attr>:$window,
                       OptionalAttr<F32Attr>:$softcap, UnitAttr:$both_ways);
  let results = (outs Llm_Rows:$result);
  let assemblyFormat = [{
    $query `,` $cache `,` $positions `,` $slots `heads` $heads `scale` $scale (`both_ways` $both_ways^)?
    (`window` $window^)?
    (`softcap` $softcap^)? (`sinks` $sinks^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;  // C1 .. C8
}

#endif
