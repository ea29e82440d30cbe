// SPDX-License-Identifier: Apache-2.0
#ifndef LLCUDA_DIALECTS_LLM_LLMELEMENTWISEOPS_TD
#define LLCUDA_DIALECTS_LLM_LLMELEMENTWISEOPS_TD

def Llm_AddOp : Llm_Op<"add", [Pure, Commutative, SameOperandsAndResultType]> {
  let summary = "Sum of two values of one shape";
  let description = [{
    `result = lhs + rhs`, in f32.

    - C1: both operands and the result have one type, f32 rows.

    ```mlir
    %y = llm.add %a, %b : tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$lhs, Llm_FloatRows:$rhs);
  let results = (outs Llm_FloatRows:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}

def Llm_ScaleOp : Llm_Op<"scale", [Pure, SameOperandsAndResultType]> {
  let summary = "Product with a constant";
  let description = [{
    `result = input * factor`, in f32. A factor of 1 folds away; the scale of an embedding becomes part of it.

    - C1: `factor` is finite.

    ```mlir
    %y = llm.scale %x by 2.529822e+01 : tensor<?x640xf32>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$input, F32Attr:$factor);
  let results = (outs Llm_FloatRows:$result);
  let assemblyFormat = "$input `by` $factor attr-dict `:` type($result)";
  let hasVerifier = 1;  // C1
  let hasFolder = 1;
  let hasCanonicalizeMethod = 1;
}

def Llm_SoftcapOp : Llm_Op<"softcap", [Pure, SameOperandsAndResultType]> {
  let summary = "Squeeze values into (-cap, cap)";
  let description = [{
    `result = cap * tanh(input / cap)`. On the logits of a head it becomes part of the head.

    - C1: `cap` is finite and positive.

    ```mlir
    %y = llm.softcap %x cap 3.0e+01 : tensor<?x256000xf32>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$input, F32Attr:$cap);
  let results = (outs Llm_FloatRows:$result);
  let assemblyFormat = "$input `cap` $cap attr-dict `:` type($result)";
  let hasVerifier = 1;  // C1
  let hasCanonicalizeMethod = 1;
}

def Llm_TakeColumnsOp : Llm_Op<"take_columns", [Pure]> {
  let summary = "Some columns of each group of columns";
  let description = [{
    `result[r, n g + i] = input[r, m g + first + i]` for i below n: of every m columns the n from `first` on.

    - C1: the columns of `input` are a multiple of m, those of `result` n for each m of them; both are static.
    - C2: n is positive, `first` not negative, and `first + n` at most m.
    - C3: `input` and `result` have the same number of rows.

    ```mlir
    %gate = llm.take_columns %x 256 of 512 from 256 : tensor<?x8192xf32> -> tensor<?x4096xf32>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$input, I64Attr:$count, I64Attr:$group, I64Attr:$first);
  let results = (outs Llm_FloatRows:$result);
  let assemblyFormat = [{
    $input $count `of` $group `from` $first attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;  // C1 .. C3
}

def Llm_GluOp : Llm_Op<"glu", [Pure, Llm_EmitsRows]> {
  let summary = "Gated unit: activation of one value times another";
  let description = [{
    `result = activation(gate) * up`; `silu(x) = x / (1 + exp(-x))`,
    `gelu_tanh(x) = 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`,
    `gelu_erf(x) = 0.5 x (1 + erf(x / sqrt(2)))`, `sigmoid(x) = 1 / (1 + exp(-x))`. `swiglu_oai` is
    `g / (1 + exp(-1.702 g)) * (clamp(up, -7, 7) + 1)` with `g = min(gate, 7)`.

    - C1: `gate` and `up` have one type.
    - C2: `result` has their shape; int8 rows have a multiple of 32 columns.

    ```mlir
    %y = llm.glu silu %g, %u : (tensor<?x1536xf32>, tensor<?x1536xf32>) -> tensor<?x1536xf32>
    ```
  }];
  let arguments = (ins Llm_ActivationAttr:$activation, Llm_FloatRows:$gate, Llm_FloatRows:$up);
  let results = (outs Llm_Rows:$result);
  let assemblyFormat = "$activation $gate `,` $up attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;  // C1, C2
}

def Llm_ActivateOp : Llm_Op<"activate", [Pure, Llm_EmitsRows]> {
  let summary = "Activation of a unit that nothing gates";
  let description = [{
    `result = activation(input)`, the functions of `llm.glu` and `tanh`.

    - C1: `activation` is of one value: not `swiglu_oai`.
    - C2: `result` has the shape of `input`; int8 rows have a multiple of 32 columns.

    ```mlir
    %y = llm.activate gelu_erf %x : (tensor<?x1536xf32>) -> tensor<?x1536xf32>
    ```
  }];
  let arguments = (ins Llm_ActivationAttr:$activation, Llm_FloatRows:$input);
  let results = (outs Llm_Rows:$result);
  let assemblyFormat = "$activation $input attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;  // C1, C2
}

#endif
