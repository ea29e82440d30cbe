// SPDX-License-Identifier: Apache-2.0
// The steps that compiling a model and refitting an engine share.
#pragma once

#include <memory>

#include "compiler/emit/emit_engine.h"
#include "compiler/models/import.h"
#include "compiler/models/open_model.h"
#include "compiler/pipeline/compile.h"
#include "compiler/pipeline/text_segment.h"
#include "dialects/plan/Plan.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace llcuda::pipeline {

/// A model, opened and planned; no kernel is compiled yet.
struct PreparedModel {
  std::shared_ptr<const models::OpenedModel> model;
  models::ImportOptions import; ///< the context, and the types of keys and values
  TextSegment text;
  std::unique_ptr<mlir::MLIRContext> mlirContext;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  plan::EngineOp plan; ///< in `module`
};

/// Opens `options.input` and runs the passes over it; warnings go to `report`.
Result<PreparedModel> prepareModel(const CompileOptions& options, CompileReport& report);

/// What the engine records of the model.
fb::ModelT modelRecord(const PreparedModel& prepared, const CompileOptions& options);

/// Runs the interpreter for the values that `options.golden` asks for.
Result<emit::SelfChecks> selfChecks(const PreparedModel& prepared, const CompileOptions& options);

/// An emitter of the engine of `prepared` to `options.output`, which may not be one of `inputs`; both must outlive it.
Result<emit::EngineEmitter> engineEmitter(const PreparedModel& prepared, const CompileOptions& options,
                                          std::vector<InputFile> inputs);

/// Says in `report` what was written.
Result<void> finishEngine(emit::EngineEmitter& emitter, const emit::EmitResults& results, CompileReport& report);

} // namespace llcuda::pipeline
