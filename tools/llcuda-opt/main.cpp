// SPDX-License-Identifier: Apache-2.0
// llcuda-opt: reads IR of the llm and plan dialects, runs the passes that its flags name, prints the result. Its flags
// are those of mlir-opt; `--remarks-filter=.*` shows what each pass did and what it refused.
#include "dialects/llm/Llm.h"
#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "tools/llcuda-opt/register_passes.h"

int main(int argc, char** argv) {
  mlir::DialectRegistry registry;
  registry.insert<mlir::func::FuncDialect, llcuda::llm::LlmDialect, llcuda::plan::PlanDialect>();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  registerLlcudaPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "llcuda-opt: the passes of llcuda\n", registry));
}
