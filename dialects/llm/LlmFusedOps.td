// SPDX-License-Identifier: Apache-2.0
// Ops that passes make: several steps that one launch does. Each is defined by the ops it stands for.
//
// Where only some of the weights of an op take int8 rows, the op reads both: f32 rows in `input`, and their int8 rows
// in `int8_input` for the weights that take them.
#ifndef LLCUDA_DIALECTS_LLM_LLMFUSEDOPS_TD
#define LLCUDA_DIALECTS_LLM_LLMFUSEDOPS_TD

def Llm_QkvLinearOp : Llm_Op<"qkv_linear", [Pure, AttrSizedOperandSegments, Llm_MultipliesRows]> {
  let summary = "The query, key and value linears of one value";
  let description = [{
    `query = linear(input, q_weight, q_bias) (+ q_added)`, and so for key and value. The encodings may differ. Of a
    layer of the delta rule the three are what its convolution reads, the decay and the beta.

    - C1: `input` has as many columns as each weight; int8 rows have a multiple of 32 columns.
    - C2: each result has the rows of `input` and a column for each row of its weight.
    - C3: the three biases are there together or not at all, each with an element for each row of its weight.
    - C4: `int8_input` has the shape of `input`, which then is f32 rows.
    - C5: `q_added` has the shape of `query`, and so for key and value; each may be there or not.

    ```mlir
    %q, %k, %v = llm.qkv_linear %x, %wq, %wk, %wv
        : (tensor<?x576xf32>, !llm.weight<576x576, q4_1>, !llm.weight<192x576, q4_1>, !llm.weight<192x576, q5_0>)
        -> (tensor<?x576xf32>, tensor<?x192xf32>, tensor<?x192xf32>)
    ```
  }];
  let arguments = (ins Llm_Rows:$input, Llm_WeightType:$q_weight, Llm_WeightType:$k_weight, Llm_WeightType:$v_weight,
                       Optional<Llm_Vector>:$q_bias, Optional<Llm_Vector>:$k_bias, Optional<Llm_Vector>:$v_bias,
                       Optional<Llm_Q8Rows>:$int8_input, Optional<Llm_FloatRows>:$q_added,
                       Optional<Llm_FloatRows>:$k_added, Optional<Llm_FloatRows>:$v_added);
  let results = (outs Llm_FloatRows:$query, Llm_FloatRows:$key, Llm_FloatRows:$value);
  let assemblyFormat = [{
    $input `,` $q_weight `,` $k_weight `,` $v_weight (`bias` $q_bias^ `,` $k_bias `,` $v_bias)?
    (`int8` $int8_input^)? (`q_added` $q_added^)? (`k_added` $k_added^)? (`v_added` $v_added^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;  // C1 .. C5
}

def Llm_QkvRopeCacheOp : Llm_Op<"qkv_rope_cache",
    [AttrSizedOperandSegments, MemoryEffects<[MemWrite<Llm_CacheResource>]>, Llm_MultipliesRows]> {
  let summary = "qkv_linear, the head norms and rotations of query and key, and the cache write";
  let description = [{
    ```
    q, k, v = qkv_linear(input, q_weight, k_weight, v_weight, biases, added)
    q, k    = head_norm(q, q_scale), head_norm(k, k_scale)      with scales
    query   = rope(q, table, positions)
    cache   = cache_write(rope(k, table, positions), v, positions, slots)
    ```

    - C1: `input` has as many columns as each weight; int8 rows have a multiple of 32 columns.
    - C2: `query` has the rows of `input` and a column for each row of `q_weight`, a multiple of the cache's head size.
    - C3: `k_weight` and `v_weight` have a row for each column of the cache.
    - C4: the three biases are there together or not at all, each with an element for each row of its weight.
    - C5: `q_scale`, `k_scale` and a positive `eps` are there together or not at all; a scale has the cache's head size.
    - C6: the table is `PxNx2`, and 2N is at most the cache's head size.
    - C7: there is a position and a slot for each row.
    - C8: `int8_input` has the shape of `input`, which then is f32 rows.
    - C9: what is added has the rows of `input` and a column for each row of its weight.

    ```mlir
    %q, %c = llm.qkv_rope_cache %x, %wq, %wk, %wv table %t at %positions, %slots pairs adjacent
        : (tensor<?x576x!llm.q8>, !llm.weight<576x576, q4_1>, !llm.weight<192x576, q4_1>, !llm.weight<192x576, q4_1>,
           tensor<2048x32x2xf32>, tensor<?xi32>, tensor<?xi32>)
        -> (tensor<?x576xf32>, !llm.cache<layer 0, 3x64, f16, f16>)
    ```
  }];
  let arguments = (ins Llm_Rows:$input, Llm_WeightType:$q_weight, Llm_WeightType:$k_weight, Llm_WeightType:$v_weight,
                       Llm_RopeTable:$table, Llm_RowIndex:$positions, Llm_RowIndex:$slots,
                       Optional<Llm_Vector>:$q_bias, Optional<Llm_Vector>:$k_bias, Optional<Llm_Vector>:$v_bias,
                       Optional<Llm_Vector>:$q_scale, Optional<Llm_Vector>:$k_scale,
                       Optional<Llm_Q8Rows>:$int8_input, Optional<Llm_FloatRows>:$q_added,
                       Optional<Llm_FloatRows>:$k_added, Optional<Llm_FloatRows>:$v_added,
                       OptionalAttr<F32Attr>:$eps, Llm_RopePairsAttr:$pairs);
  let results = (outs Llm_FloatRows:$query, Llm_CacheType:$cache);
  let assemblyFormat = [{
    $input `,` $q_weight `,` $k_weight `,` $v_weight `table` $table `at` $positions `,` $slots `pairs` $pairs
    (`bias` $q_bias^ `,` $k_bias `,` $v_bias)? (`norm` $q_scale^ `,` $k_scale `eps` $eps)? (`int8` $int8_input^)?
    (`q_added` $q_added^)? (`k_added` $k_added^)? (`v_added` $v_added^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;  // C1 .. C9
}

def Llm_RopeCacheOp : Llm_Op<"rope_cache",
    [AttrSizedOperandSegments, MemoryEffects<[MemWrite<Llm_CacheResource>]>]> {
  let summary = "The head norms and rotations of query and key, and the cache write";
  let description = [{
    ```
    q, k   = head_norm(q, q_scale), head_norm(k, k_scale)       with scales
    v      = head_norm(v, v_scale)                              with v_scale
    query  = rope(q, table, positions)
    cache  = cache_write(rope(k, table, positions), v, positions, slots)
    ```

    - C1: `query` has the shape of `q`, whose columns are a multiple of the cache's head size.
    - C2: `k` and `v` have as many columns as the cache has heads times elements, and the rows of `q`.
    - C3: `q_scale`, `k_scale` and a positive `eps` are there together or not at all, `v_scale` only with them; a scale
      has the cache's head size.
    - C4: the table is `PxNx2`, and 2N is at most the cache's head size.
    - C5: there is a position and a slot for each row.

    ```mlir
    %q1, %c = llm.rope_cache %q, %k, %v table %t at %positions, %slots pairs adjacent
        : (tensor<?x576xf32>, tensor<?x192xf32>, tensor<?x192xf32>, tensor<2048x32x2xf32>, tensor<?xi32>, tensor<?xi32>)
        -> (tensor<?x576xf32>, !llm.cache<layer 0, 3x64, f16, f16>)
    ```
  }];
  let arguments = (ins Llm_FloatRows:$q, Llm_FloatRows:$k, Llm_FloatRows:$v, Llm_RopeTable:$table,
                       Llm_RowIndex:$positions, Llm_RowIndex:$slots, Optional<Llm_Vector>:$q_scale,
                       Optional<Llm_Vector>:$k_scale, Optional<Llm_Vector>:$v_scale, OptionalAttr<F32Attr>:$eps,
                       Llm_RopePairsAttr:$pairs);
  let results = (outs Llm_FloatRows:$query, Llm_CacheType:$cache);
  let assemblyFormat = [{
    $q `,` $k `,` $v `table` $table `at` $positions `,` $slots `pairs` $pairs
    (`norm` $q_scale^ `,` $k_scale `eps` $eps)? (`v_norm` $v_scale^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;  // C1 .. C5
}

def Llm_LinearGluOp : Llm_Op<"linear_glu", [Pure, Llm_MultipliesRows, Llm_EmitsRows]> {
  let summary = "A linear that gates rows";
  let description = [{
    `result = glu(activation, linear(input, weight), up)`

    - C1: `input` has as many columns as `weight`; int8 rows have a multiple of 32 columns.
    - C2: `up` and `result` have the rows of `input` and a column for each row of `weight`; int8 rows have a multiple of
      32 columns.

    ```mlir
    %y = llm.linear_glu gelu_tanh %x, %w up %u
        : (tensor<?x576x!llm.q8>, !llm.weight<256x576, q4_1>, tensor<?x256xf32>) -> tensor<?x256x!llm.q8>
    ```
  }];
  let arguments = (ins Llm_ActivationAttr:$activation, Llm_Rows:$input, Llm_WeightType:$weight, Llm_FloatRows:$up);
  let results = (outs Llm_Rows:$result);
  let assemblyFormat = [{
    $activation $input `,` $weight `up` $up attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;  // C1, C2
}

def Llm_GluLinearOp : Llm_Op<"glu_linear",
    [Pure, AttrSizedOperandSegments, Llm_MultipliesRows, Llm_EmitsRows]> {
  let summary = "The gate and up linears of one value, and their gated unit";
  let description = [{
    `result = glu(activation, linear(input, gate_weight) (+ gate_added), linear(input, up_weight) (+ up_added))`

    - C1: `input` has as many columns as each weight; int8 rows have a multiple of 32 columns.
    - C2: both weights have a row for each column of `result`, which has the rows of `input`; int8 rows have a multiple
      of 32 columns.
    - C3: `int8_input` has the shape of `input`, which then is f32 rows.
    - C4: what is added has the rows and columns of `result`.

    ```mlir
    %y = llm.glu_linear silu %x, %wg, %wu
        : (tensor<?x576x!llm.q8>, !llm.weight<1536x576, q4_1>, !llm.weight<1536x576, q4_1>) -> tensor<?x1536x!llm.q8>
    ```
  }];
  let arguments = (ins Llm_ActivationAttr:$activation, Llm_Rows:$input, Llm_WeightType:$gate_weight,
                       Llm_WeightType:$up_weight, Optional<Llm_Q8Rows>:$int8_input,
                       Optional<Llm_FloatRows>:$gate_added, Optional<Llm_FloatRows>:$up_added);
  let results = (outs Llm_Rows:$result);
  let assemblyFormat = [{
    $activation $input `,` $gate_weight `,` $up_weight (`int8` $int8_input^)? (`gate_added` $gate_added^)?
    (`up_added` $up_added^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;  // C1 .. C4
}

def Llm_ExpertGluLinearOp : Llm_Op<"expert_glu_linear", [Pure, AttrSizedOperandSegments]> {
  let summary = "The gate and up linears of the experts of each row, and their gated unit";
  let description = [{
    ```
    gate   = expert_linear(input, experts, gate_weight, gate_bias, count)
    up     = expert_linear(input, experts, up_weight, up_bias, count)
    result = glu(activation, gate, up)
    ```
    The encodings may differ.

    - C1: `input` has as many columns as each weight.
    - C2: both weights have the same rows, a multiple of `count`, and `result` a column for each row of an expert.
    - C3: the biases are there together or not at all, each with an element for each row of its weight.

    ```mlir
    %a = llm.expert_glu_linear silu %x, %e, %g, %u of 128
        : (tensor<?x2048xf32>, tensor<?x8xi32>, !llm.weight<98304x2048, q4_k>, !llm.weight<98304x2048, q4_k>)
        -> tensor<?x768xf32>
    ```
  }];
  let arguments = (ins Llm_ActivationAttr:$activation, Llm_FloatRows:$input, Llm_Choices:$experts,
                       Llm_WeightType:$gate_weight, Llm_WeightType:$up_weight, Optional<Llm_Vector>:$gate_bias,
                       Optional<Llm_Vector>:$up_bias, I64Attr:$count);
  let results = (outs Llm_FloatRows:$result);
  let assemblyFormat = [{
    $activation $input `,` $experts `,` $gate_weight `,` $up_weight (`bias` $gate_bias^ `,` $up_bias)? `of` $count
    attr-dict `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    /// Rows of each weight that one expert has.
    int64_t getExpertRows() { return getGateWeight().getType().getRows() / static_cast<int64_t>(getCount()); }
    /// Experts that a row chooses.
    int64_t getChoices();
  }];
  let hasVerifier = 1;  // C1 .. C3
}

def Llm_LinearResidualNormOp : Llm_Op<"linear_residual_norm",
    [Pure, AttrSizedOperandSegments, Llm_MultipliesRows, Llm_EmitsRows]> {
  let summary = "A linear, the residual add after it, and the norm after that";
  let description = [{
    ```
    y      = linear(input, weight, bias) (+ added)
    y      = rms_norm(y, post_scale)        with post_scale
    sum    = (residual + y) * factor
    normed = rms_norm(sum, scale)
    ```

    Without `factor` the sum is as it is; without `scale` it is what `normed` is too.

    - C1: `input` has as many columns as `weight`; int8 rows have a multiple of 32 columns.
    - C2: `residual` and `sum` have the rows of `input` and a column for each row of `weight`.
    - C3: `scale`, `post_scale` and `bias` have an element for each row of `weight`.
    - C4: `eps` is positive; it is that of both norms.
    - C5: `normed` has the shape of `sum`; int8 rows have a multiple of 32 columns.
    - C6: `added` has the shape of `sum`.
    - C7: `factor` is finite; it and a `normed` that is not normed are there only with `post_scale`.

    ```mlir
    %sum, %n = llm.linear_residual_norm %x, %w residual %r norm %s eps 1.0e-05
        : (tensor<?x1536x!llm.q8>, !llm.weight<576x1536, q4_1>, tensor<?x576xf32>, tensor<576xf32>)
        -> (tensor<?x576xf32>, tensor<?x576x!llm.q8>)
    ```
  }];
  let arguments = (ins Llm_Rows:$input, Llm_WeightType:$weight, Llm_FloatRows:$residual, Optional<Llm_Vector>:$scale,
                       Optional<Llm_Vector>:$bias, Optional<Llm_Vector>:$post_scale,
                       Optional<Llm_FloatRows>:$added, F32Attr:$eps, OptionalAttr<F32Attr>:$factor);
  let results = (outs Llm_FloatRows:$sum, Llm_Rows:$normed);
  let assemblyFormat = [{
    $input `,` $weight `residual` $residual (`norm` $scale^)? `eps` $eps (`bias` $bias^)? (`post_norm` $post_scale^)?
    (`added` $added^)? (`times` $factor^)? attr-dict `:` functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    ::mlir::OpResult getEmittedRows() { return ::llvm::cast<::mlir::OpResult>(getNormed()); }
  }];
  let hasVerifier = 1;  // C1 .. C7
}

#endif
