// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/import.h"

#include "compiler/models/family.h"
#include "compiler/models/model_builder.h"

namespace llcuda::models {

Result<mlir::OwningOpRef<mlir::ModuleOp>> importModel(mlir::MLIRContext* context, const ingest::Checkpoint& checkpoint,
                                                      const ModelConfig& config, const ImportOptions& options) {
  if (config.contextLimit != 0 && options.maxContext > config.contextLimit)
    return unsupported("attention of ", config.family->architecture, " changes past position ", config.contextLimit,
                       ", which is not supported; compile it for a context of at most ", config.contextLimit);
  ModelBuilder builder(context, checkpoint, config, options);
  builder.build(config.family->layer);
  return builder.finish();
}

} // namespace llcuda::models
