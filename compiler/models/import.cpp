// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/import.h"

#include "compiler/models/architectures.h"
#include "compiler/models/model_builder.h"

namespace llcuda::models {

Result<mlir::OwningOpRef<mlir::ModuleOp>> importModel(mlir::MLIRContext* context, const ingest::GgufFile& file,
                                                      const ModelConfig& config, const ImportOptions& options) {
  ModelBuilder builder(context, file, config, options);
  if (config.architecture == "llama")
    buildLlama(builder, config);
  else
    return unsupported("architecture \"", config.architecture, "\" is not supported (supported: llama)");
  return builder.finish();
}

} // namespace llcuda::models
