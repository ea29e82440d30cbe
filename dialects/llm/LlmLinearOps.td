// SPDX-License-Identifier: Apache-2.0
#ifndef LLCUDA_DIALECTS_LLM_LLMLINEAROPS_TD
#define LLCUDA_DIALECTS_LLM_LLMLINEAROPS_TD

def Llm_LinearOp : Llm_Op<"linear", [Pure, AttrSizedOperandSegments, Llm_MultipliesRows]> {
  let summary = "Rows times a transposed weight";
  let description = [{
    `result[r, n] = sum_k input[r, k] * weight[n, k] (+ bias[n]) (+ added[r, n]) (+ residual[r, n])`

    - C1: `input` has as many columns as `weight`; int8 rows have a multiple of 32 columns.
    - C2: `result` has the rows of `input` and a column for each row of `weight`.
    - C3: `bias` has an element for each row of `weight`.
    - C4: `residual` and `added` have the shape of `result`.

    ```mlir
    %y = llm.linear %x, %w : (tensor<?x576xf32>, !llm.weight<192x576, q4_1>) -> tensor<?x192xf32>
    %z = llm.linear %x, %w bias %b residual %r : (tensor<?x576xf32>, !llm.weight<576x576, q4_1>, tensor<576xf32>,
                                                  tensor<?x576xf32>) -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Llm_Rows:$input, Llm_WeightType:$weight, Optional<Llm_Vector>:$bias,
                       Optional<Llm_FloatRows>:$residual, Optional<Llm_FloatRows>:$added);
  let results = (outs Llm_FloatRows:$result);
  let builders = [OpBuilder<(ins "::mlir::Value":$input, "::mlir::Value":$weight,
                                 CArg<"::mlir::Value", "{}">:$bias, CArg<"::mlir::Value", "{}">:$residual,
                                 CArg<"::mlir::Value", "{}">:$added)>];
  let assemblyFormat = [{
    $input `,` $weight (`bias` $bias^)? (`residual` $residual^)? (`added` $added^)? attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;  // C1 .. C4
}

def Llm_LowRankOp : Llm_Op<"low_rank", [Pure]> {
  let summary = "The low-rank product that an adapter adds to a linear";
  let description = [{
    `result[r, n] = sum_i b[n, i] * (sum_k a[i, k] * input[r, k])`

    Linears that take it as what is `added` multiply with b themselves. It reads f32 rows: where `input` is int8 rows,
    whoever makes these makes the f32 rows beside them.

    - C1: `input` has as many columns as `a`; int8 rows have a multiple of 32 columns.
    - C2: `b` has as many columns as `a` has rows.
    - C3: `result` has the rows of `input` and a column for each row of `b`.

    ```mlir
    %y = llm.low_rank %x, %a, %b : (tensor<?x576xf32>, !llm.weight<32x576, f16>, !llm.weight<192x32, f16>)
                                   -> tensor<?x192xf32>
    ```
  }];
  let arguments = (ins Llm_Rows:$input, Llm_WeightType:$a, Llm_WeightType:$b);
  let results = (outs Llm_FloatRows:$result);
  let assemblyFormat = "$input `,` $a `,` $b attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;  // C1 .. C3
}

def Llm_QuantizeOp : Llm_Op<"quantize", [Pure]> {
  let summary = "f32 rows to int8 rows";
  let description = [{
    For every 32 columns `d = max|x| / 127` and codes `round(x / d)` (0 where d is 0), with the sum of the codes beside
    d.

    - C1: `result` has the shape of `input` and is int8 rows.
    - C2: the columns are a multiple of 32.

    ```mlir
    %q = llm.quantize %x : tensor<?x576xf32> -> tensor<?x576x!llm.q8>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$input);
  let results = (outs Llm_Q8Rows:$result);
  let builders = [OpBuilder<(ins "::mlir::Value":$input)>];
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;  // C1, C2
}

#endif
