// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/gguf_kind.h"

#include <string_view>

namespace llcuda::ingest {
namespace {

struct Kind {
  std::string_view type, what;
};

constexpr Kind kKinds[] = {
    {"adapter", "a LoRA adapter, not a model; give the model, and the PEFT folder of the adapter with --lora"},
    {"mmproj", "the projector of a model that sees or hears (mmproj), not a model; give the model's own GGUF file"},
    {"imatrix", "an importance matrix, not a model; quantising here needs none"},
    {"vocab", "a vocabulary without weights; llcuda-tokenize takes it, a model is another file"},
};

std::string_view textOf(const GgufFile& file, const char* key) {
  const GgufValue* value = file.find(key);
  return value && value->asString() ? *value->asString() : std::string_view();
}

/// general.type, or what older files show in other ways.
std::string_view typeOf(const GgufFile& file) {
  if (textOf(file, "general.architecture") == "clip")
    return "mmproj";
  if (file.find("imatrix.chunk_count"))
    return "imatrix";
  return file.find("adapter.type") ? "adapter" : textOf(file, "general.type");
}

} // namespace

Result<void> checkHoldsModel(const GgufFile& file) {
  const std::string_view type = typeOf(file);
  for (const Kind& kind : kKinds)
    if (kind.type == type)
      return badInput(file.path(), ": is ", kind.what);
  return {};
}

} // namespace llcuda::ingest
