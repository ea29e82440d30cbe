// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "codegen/formats/tensor_type.h"
#include "compiler/ingest/checkpoint.h"
#include "compiler/models/model_config.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/base/result.h"

namespace llcuda::models {

struct ImportOptions {
  uint32_t maxContext = 0; ///< positions a sequence may have; the length of the rope tables
  formats::TensorType keyType = formats::TensorType::kF16; ///< of the cache
  formats::TensorType valueType = formats::TensorType::kF16;
};

/// The forward pass of a checkpoint as a module of llm ops with one function, `@forward`. The context has the llm and
/// func dialects loaded. A tensor that is missing, misshapen or not part of the architecture is kBadInput and named.
Result<mlir::OwningOpRef<mlir::ModuleOp>> importModel(mlir::MLIRContext* context, const ingest::Checkpoint& checkpoint,
                                                      const ModelConfig& config, const ImportOptions& options);

} // namespace llcuda::models
