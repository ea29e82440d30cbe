// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/import.h"

#include "compiler/models/architectures.h"
#include "compiler/models/model_builder.h"

namespace llcuda::models {
namespace {

constexpr Architecture kArchitectures[] = {
    {"llama", completeLlama, buildLlama},       {"gemma", completeGemma, buildLlama},
    {"gemma2", completeGemma2, buildGemma2},    {"gemma3", completeGemma3, buildGemma3},
    {"qwen2", completeQwen, buildLlama},        {"qwen3", completeQwen, buildQwen3},
    {"mistral3", completeMistral3, buildLlama}, {"phi3", completePhi3, buildLlama},
    {"smollm3", completeSmollm3, buildLlama},
};

} // namespace

const Architecture* findArchitecture(std::string_view name) {
  for (const Architecture& architecture : kArchitectures)
    if (architecture.name == name)
      return &architecture;
  return nullptr;
}

std::string architectureNames() {
  std::string names;
  for (const Architecture& architecture : kArchitectures)
    names += (names.empty() ? "" : ", ") + std::string(architecture.name);
  return names;
}

Result<mlir::OwningOpRef<mlir::ModuleOp>> importModel(mlir::MLIRContext* context, const ingest::Checkpoint& checkpoint,
                                                      const ModelConfig& config, const ImportOptions& options) {
  if (config.contextLimit != 0 && options.maxContext > config.contextLimit)
    return unsupported("attention of ", config.architecture, " changes past position ", config.contextLimit,
                       ", which is not supported; compile it for a context of at most ", config.contextLimit);
  ModelBuilder builder(context, checkpoint, config, options);
  findArchitecture(config.architecture)->build(builder, config);
  return builder.finish();
}

} // namespace llcuda::models
