// SPDX-License-Identifier: Apache-2.0
include "mlir/Pass/PassBase.td"

def FuseGlu : Pass<"llm-fuse-glu", "::mlir::func::FuncOp"> {
  let summary = "One launch for the gate linear, the up linear and the gated unit";
  let description = [{
    `glu(linear(x, gate), linear(x, up))` becomes `glu_linear(x, gate, up)`: one launch in place of three, and the two
    wide values are never stored. Linears of experts become `expert_glu_linear`, with their biases. Where up comes from
    no linear, `glu(linear(x, gate), up)` becomes `linear_glu(x, gate, up)`.

    Refuses linears that read different values, that something else reads too, that have a bias or add a residual; of
    experts those of different choices, and one that has a bias beside one that has none. Changes no value.

    (* example filepath=tests/compiler/transforms/FuseGlu/doctest.mlir *)
  }];
  let dependentDialects = ["::llcuda::llm::LlmDialect"];
}
