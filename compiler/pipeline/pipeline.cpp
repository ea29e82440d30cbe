// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/pipeline.h"

#include "compiler/conversion/LlmToPlan/LlmToPlan.h"
#include "compiler/transforms/AssignLayout/AssignLayout.h"
#include "compiler/transforms/FuseGlu/FuseGlu.h"
#include "compiler/transforms/FuseQkv/FuseQkv.h"
#include "compiler/transforms/FuseResidualNorm/FuseResidualNorm.h"
#include "compiler/transforms/FuseRopeCache/FuseRopeCache.h"
#include "compiler/transforms/PlanCheck/PlanCheck.h"
#include "compiler/transforms/PlanMemory/PlanMemory.h"
#include "compiler/transforms/QuantizeActivations/QuantizeActivations.h"
#include "dialects/llm/Llm.h"
#include "dialects/plan/Plan.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/STLExtras.h"

namespace llcuda::pipeline {
namespace {

/// The name of an op as the option `apart` of llm-to-plan has it.
template <typename Op>
std::string mnemonicOf() {
  return Op::getOperationName().split('.').second.str();
}

} // namespace

void buildPipeline(mlir::OpPassManager& passes, const PipelineOptions& options) {
  mlir::OpPassManager& forward = passes.nest<mlir::func::FuncOp>();
  LlmToPlanOptions toPlan;
  // A fusion that is left out is not made, or its op is taken apart again by the lowering.
  const auto fuse = [&](std::unique_ptr<mlir::Pass> pass, const std::string& madeOp = "") {
    const bool skipped = llvm::is_contained(options.skip, pass->getArgument());
    if (skipped && !madeOp.empty())
      toPlan.apart.push_back(madeOp);
    if (!skipped || !madeOp.empty())
      forward.addPass(std::move(pass));
  };
  // Folds what the importer left, and makes one value of a tied embedding and head.
  forward.addPass(mlir::createCanonicalizerPass());
  forward.addPass(mlir::createCSEPass());
  // The linears that read the norm before attention become one launch.
  fuse(createFuseQkv());
  // So do gate, up and the gated unit.
  fuse(createFuseGlu());
  // The residual add and the next norm move into the linear before them.
  fuse(createFuseResidualNorm(), mnemonicOf<llm::LinearResidualNormOp>());
  // A value that int8 linears read becomes int8 rows where it is made.
  forward.addPass(createQuantizeActivations());
  // The rotation of queries and keys and the cache write move into the linear that makes them.
  fuse(createFuseRopeCache(), mnemonicOf<llm::QkvRopeCacheOp>());
  // Each weight gets the layout in which its kernels read it.
  forward.addPass(createAssignLayout());
  // Ops become kernels and launches, once for each phase.
  toPlan.maxContext = options.maxContext;
  toPlan.maxBatch = options.maxBatch;
  toPlan.batchInvariant = options.batchInvariant;
  toPlan.promptRows.assign(options.promptRows.begin(), options.promptRows.end());
  passes.addPass(createLlmToPlan(toPlan, options.tiles, options.tileRequests));
  // Activations share one arena; no two that live at a time overlap.
  passes.addNestedPass<plan::EngineOp>(createPlanMemory());
  // Nothing exceeds what an SM of the T4 has.
  passes.addNestedPass<plan::EngineOp>(createPlanCheck());
}

} // namespace llcuda::pipeline
