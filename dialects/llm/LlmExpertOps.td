// SPDX-License-Identifier: Apache-2.0
// Mixtures of experts: of the weights of a layer each row is multiplied with those of the experts that a router chose.
// Rows of choices are those of the rows that chose, k of each one after the other: choice j of row r is row k r + j.
#ifndef LLCUDA_DIALECTS_LLM_LLMEXPERTOPS_TD
#define LLCUDA_DIALECTS_LLM_LLMEXPERTOPS_TD

def Llm_RouteOp : Llm_Op<"route", [Pure]> {
  let summary = "The experts of each row, and their weights";
  let description = [{
    `p = softmax(logits[r, :])`; `experts[r, :]` are the k columns whose logits are the largest, the largest first and
    of equal ones that of the lowest index; `weights[r, j] = p[experts[r, j]]`, with `normalized` divided by the sum of
    the k. k are the columns of the results.

    - C1: `experts` and `weights` have the rows of `logits`, and as many columns as each other.
    - C2: these are at least 1 and at most the columns of `logits`.
    - Logits that are no numbers choose experts all the same, k different ones.

    ```mlir
    %e, %w = llm.route %l normalized : tensor<?x128xf32> -> tensor<?x8xi32>, tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$logits, UnitAttr:$normalized);
  let results = (outs Llm_Choices:$experts, Llm_FloatRows:$weights);
  let assemblyFormat = [{
    $logits (`normalized` $normalized^)? attr-dict `:` type($logits) `->` type($experts) `,` type($weights)
  }];
  let hasVerifier = 1;  // C1, C2
}

def Llm_ExpertLinearOp : Llm_Op<"expert_linear", [Pure]> {
  let summary = "Rows times the transposed weights of their experts";
  let description = [{
    `result[k r + j, n] = sum_c input[r, c] * weight[experts[r, j] * N + n, c] (+ bias[experts[r, j] * N + n])`:
    `weight` holds the N rows of each of `count` experts, one expert after the other. With `each`, `input` has a row for
    each choice, and row k r + j of it is multiplied.

    - C1: `input` has as many columns as `weight`.
    - C2: `weight` has a multiple of `count` rows, and `result` a column for each row of an expert.
    - C3: `bias` has an element for each row of `weight`.

    ```mlir
    %g = llm.expert_linear %x, %e, %w of 128 : (tensor<?x2048xf32>, tensor<?x8xi32>, !llm.weight<98304x2048, q4_k>)
                                            -> tensor<?x768xf32>
    %y = llm.expert_linear each %a, %e, %d of 128 : (tensor<?x768xf32>, tensor<?x8xi32>, !llm.weight<262144x768, q6_k>)
                                                 -> tensor<?x2048xf32>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$input, Llm_Choices:$experts, Llm_WeightType:$weight, Optional<Llm_Vector>:$bias,
                       I64Attr:$count, UnitAttr:$each);
  let results = (outs Llm_FloatRows:$result);
  let assemblyFormat = [{
    (`each` $each^)? $input `,` $experts `,` $weight (`bias` $bias^)? `of` $count attr-dict `:`
    functional-type(operands, results)
  }];
  let extraClassDeclaration = [{
    /// Rows of the weight that one expert has.
    int64_t getExpertRows() { return getWeight().getType().getRows() / static_cast<int64_t>(getCount()); }
    /// Experts that a row chooses.
    int64_t getChoices();
  }];
  let hasVerifier = 1;  // C1 .. C3
}

def Llm_ExpertSumOp : Llm_Op<"expert_sum", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "The choices of each row, added up by their weights";
  let description = [{
    `result[r, c] = sum_j weights[r, j] * input[k r + j, c]`, k being the columns of `weights`, added in the order of j.

    - C1: `input` has a static number of columns.

    ```mlir
    %y = llm.expert_sum %z, %w : tensor<?x2048xf32>, tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$input, Llm_FloatRows:$weights);
  let results = (outs Llm_FloatRows:$result);
  let assemblyFormat = "$input `,` $weights attr-dict `:` type($input) `,` type($weights)";
  let hasVerifier = 1;  // C1
}

#endif
