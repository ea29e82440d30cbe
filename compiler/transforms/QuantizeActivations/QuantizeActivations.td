// SPDX-License-Identifier: Apache-2.0
include "mlir/Pass/PassBase.td"

def QuantizeActivations : Pass<"llm-quantize-activations", "::mlir::func::FuncOp"> {
  let summary = "Linears of quantised weights read int8 rows, made once by whoever makes the value";
  let description = [{
    A value that linears with quantised weights read becomes int8 rows once, for all of them. Where the op that makes it
    can (a norm, an attention, a gated unit, alone or fused) and nothing else reads it, the op yields int8 rows itself,
    which costs no launch. Else one `llm.quantize` follows the op, and the remark says why.

    The low-rank product of an adapter reads f32 rows, and does not ask for a quantize: it takes the f32 rows beside the
    int8 rows.

    A fused op of which only some weights are quantised reads both: the f32 rows, and the int8 rows beside them.

    Changes values: a column is rounded to 1/127 of the largest of its 32.

    (* example filepath=tests/compiler/transforms/QuantizeActivations/doctest.mlir *)
  }];
  let dependentDialects = ["::llcuda::llm::LlmDialect"];
}
