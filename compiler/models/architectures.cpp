// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/architectures.h"

namespace llcuda::models {
namespace {

constexpr Architecture kArchitectures[] = {
    {"llama", completeLlama, llamaLayer},       {"gemma", completeGemma, llamaLayer},
    {"gemma2", completeGemma2, gemma2Layer},    {"gemma3", completeGemma3, gemma3Layer},
    {"qwen2", completeQwen, llamaLayer},        {"qwen3", completeQwen, qwen3Layer},
    {"mistral3", completeMistral3, llamaLayer}, {"phi3", completePhi3, llamaLayer},
    {"smollm3", completeSmollm3, llamaLayer},
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

} // namespace llcuda::models
