// SPDX-License-Identifier: Apache-2.0
include "mlir/Pass/PassBase.td"

def AssignLayout : Pass<"llm-assign-layout", "::mlir::func::FuncOp"> {
  let summary = "Choose the device layout of every weight";
  let description = [{
    The layout that keeps a weight's values exactly (`codegen/formats/encodings.inc`) becomes part of its type. One
    stored copy serves every phase and every reader, tied embeddings among them.

    Fails at a parameter whose encoding has no such layout, or whose shape the layout cannot hold, naming both. A weight
    that has a layout keeps it.

    (* example filepath=tests/compiler/transforms/AssignLayout/doctest.mlir *)
  }];
  let dependentDialects = ["::llcuda::llm::LlmDialect"];
}
