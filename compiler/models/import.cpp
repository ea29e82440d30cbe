// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/import.h"

#include "compiler/models/family.h"
#include "compiler/models/model_builder.h"

namespace llcuda::models {

Result<mlir::OwningOpRef<mlir::ModuleOp>> importModel(mlir::MLIRContext* context, const ingest::Checkpoint& checkpoint,
                                                      const ModelConfig& config, const ImportOptions& options) {
  ModelBuilder builder(context, checkpoint, config, options);
  builder.build(*config.family);
  return builder.finish();
}

} // namespace llcuda::models
