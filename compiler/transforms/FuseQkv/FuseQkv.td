// SPDX-License-Identifier: Apache-2.0
include "mlir/Pass/PassBase.td"

def FuseQkv : Pass<"llm-fuse-qkv", "::mlir::func::FuncOp"> {
  let summary = "One launch for the query, key and value linears of a layer";
  let description = [{
    The three linears behind an attention that read one value become one `qkv_linear`: one launch in place of three, and
    enough rows of weights in it to fill the machine even where keys and values are narrow. The encodings may differ;
    where some of them take int8 rows and some f32 rows, the op reads both. So do those behind a delta rule: of what it
    reads past its convolution, of the decay and of the beta.

    Refuses linears that read different values, that something else reads too, that add a residual, or of which some
    have a bias and some have none. Changes no value.

    (* example filepath=tests/compiler/transforms/FuseQkv/doctest.mlir *)
  }];
  let dependentDialects = ["::llcuda::llm::LlmDialect"];
}
