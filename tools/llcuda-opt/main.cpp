// SPDX-License-Identifier: Apache-2.0
// llcuda-opt: reads IR of our dialects, runs the passes its flags name, prints the result. Flags are mlir-opt's.
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

#include "dialects/llm/Llm.h"
#include "dialects/plan/Plan.h"

int main(int argc, char** argv) {
  mlir::DialectRegistry registry;
  registry.insert<mlir::func::FuncDialect, llcuda::llm::LlmDialect, llcuda::plan::PlanDialect>();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "llcuda-opt: passes of llcuda\n", registry));
}
