// SPDX-License-Identifier: Apache-2.0
#ifndef LLCUDA_DIALECTS_LLM_LLMNORMOPS_TD
#define LLCUDA_DIALECTS_LLM_LLMNORMOPS_TD

def Llm_RmsNormOp : Llm_Op<"rms_norm", [Pure, Llm_EmitsRows]> {
  let summary = "Root-mean-square norm of whole rows";
  let description = [{
    `result[r, c] = input[r, c] / sqrt(mean(input[r, :]^2) + eps) * scale[c]`

    - C1: `scale` has as many elements as `input` has columns.
    - C2: `eps` is positive.
    - C3: `result` has the shape of `input`; if it is int8 rows, its columns are a multiple of 32.
    - Sums are taken in f32. Scales that are stored as `scale - 1` are completed by the importer, never here.

    ```mlir
    %y = llm.rms_norm %x, %s eps 1.0e-05 : (tensor<?x576xf32>, tensor<576xf32>) -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$input, Llm_Vector:$scale, F32Attr:$eps);
  let results = (outs Llm_Rows:$result);
  let builders = [OpBuilder<(ins "::mlir::Value":$input, "::mlir::Value":$scale, "double":$eps), [{
    build($_builder, $_state, input.getType(), input, scale, $_builder.getF32FloatAttr(eps));
  }]>];
  let assemblyFormat = "$input `,` $scale `eps` $eps attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;  // C1 .. C3
}

def Llm_LayerNormOp : Llm_Op<"layer_norm", [Pure, Llm_EmitsRows]> {
  let summary = "Norm of whole rows about their mean";
  let description = [{
    With `d = input[r, :] - mean(input[r, :])`: `result[r, c] = d[c] / sqrt(mean(d^2) + eps) * scale[c] + shift[c]`;
    without `shift` nothing is added.

    - C1: `scale` has as many elements as `input` has columns.
    - C2: `eps` is positive.
    - C3: `result` has the shape of `input`; if it is int8 rows, its columns are a multiple of 32.
    - C4: `shift` has as many elements as `scale`.
    - Sums are taken in f32, the second of the differences to the mean.

    ```mlir
    %y = llm.layer_norm %x, %s shift %b eps 1.0e-12
        : (tensor<?x384xf32>, tensor<384xf32>, tensor<384xf32>) -> tensor<?x384xf32>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$input, Llm_Vector:$scale, Optional<Llm_Vector>:$shift, F32Attr:$eps);
  let results = (outs Llm_Rows:$result);
  let assemblyFormat = [{
    $input `,` $scale (`shift` $shift^)? `eps` $eps attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;  // C1 .. C4
}

def Llm_HeadNormOp : Llm_Op<"head_norm", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "Root-mean-square norm of each head of a row";
  let description = [{
    The norm of queries and keys: `rms_norm` over every `D` columns by themselves, D being the elements of `scale`,
    which all heads share.

    - C1: the columns of `input` are a multiple of the elements of `scale`.
    - C2: `eps` is positive.

    ```mlir
    %y = llm.head_norm %q, %s eps 1.0e-06 : tensor<?x1024xf32>, tensor<256xf32>
    ```
  }];
  let arguments = (ins Llm_FloatRows:$input, Llm_Vector:$scale, F32Attr:$eps);
  let results = (outs Llm_FloatRows:$result);
  let builders = [OpBuilder<(ins "::mlir::Value":$input, "::mlir::Value":$scale, "double":$eps), [{
    build($_builder, $_state, input.getType(), input, scale, $_builder.getF32FloatAttr(eps));
  }]>];
  let assemblyFormat = "$input `,` $scale `eps` $eps attr-dict `:` type($input) `,` type($scale)";
  let hasVerifier = 1;  // C1, C2
}

#endif
