// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compiler/emit/emit_engine.h"
#include "compiler/pipeline/compile.h"
#include "compiler/pipeline/pipeline.h"
#include "mlir/IR/BuiltinOps.h"

namespace llcuda::pipeline {

/// Runs the pipeline over an imported model. A pass that fails is an error with the diagnostic's text. Hands the IR
/// after the passes that `compile.dumpIrAfter` names to `compile.dumpSink`; a name that no pass has is kUsage.
Result<void> runPasses(mlir::ModuleOp module, const PipelineOptions& pipeline, const CompileOptions& compile);

/// Writes what the kernel compiler reports (registers, shared memory, spills) into the plan and runs plan-check over
/// it.
Result<void> checkCompiledKernels(mlir::ModuleOp module, const emit::KernelImages& images, const std::string& input);

} // namespace llcuda::pipeline
