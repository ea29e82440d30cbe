// SPDX-License-Identifier: Apache-2.0
#ifndef LLCUDA_DIALECTS_LLM_LLMHEADOPS_TD
#define LLCUDA_DIALECTS_LLM_LLMHEADOPS_TD

def Llm_HeadOp : Llm_Op<"head", [Pure, Llm_MultipliesRows]> {
  let summary = "Logits of the rows that are asked for";
  let description = [{
    `logits[i, v] = sum_k input[output_rows[i], k] * weight[v, k]`, then `softcap * tanh(logits / softcap)` with a
    softcap. In a decode phase every row is asked for, in order. Where `output_rows[i]` is -1 the logits are ignored.

    - C1: `input` has as many columns as `weight`; int8 rows have a multiple of 32 columns.
    - C2: `logits` has a row for each element of `output_rows` and a column for each row of `weight`.
    - C3: `softcap` is positive.

    ```mlir
    %l = llm.head %x, %w, %output_rows
        : (tensor<?x576xf32>, !llm.weight<49152x576, q8_0>, tensor<?xi32>) -> tensor<?x49152xf32>
    ```
  }];
  let arguments = (ins Llm_Rows:$input, Llm_WeightType:$weight, Llm_RowIndex:$output_rows,
                       OptionalAttr<F32Attr>:$softcap);
  let results = (outs Llm_FloatRows:$logits);
  let assemblyFormat = [{
    $input `,` $weight `,` $output_rows (`softcap` $softcap^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;  // C1 .. C3
}

def Llm_SampleOp : Llm_Op<"sample", [Pure]> {
  let summary = "A token for each row of logits";
  let description = [{
    The chain that the row's slot has been told, by `codegen/formats/sampling.h`; the most likely token (the lowest id
    on ties) where the row has none. In a decode phase the token also becomes the next `tokens`, and `positions` grows
    by one.

    - C1: `logits`, `sampling` and `result` have the same number of rows.

    ```mlir
    %t = llm.sample %l, %sampling : (tensor<?x49152xf32>, tensor<?x!llm.sampling>) -> tensor<?xi32>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$logits, Llm_SamplingRows:$sampling);
  let results = (outs Llm_RowIndex:$result);
  let assemblyFormat = "$logits `,` $sampling attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;  // C1
}

#endif
