// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compiler/ingest/gguf_reader.h"
#include "compiler/models/values.h"

namespace llcuda::models {

/// The metadata `<architecture>.*` of a GGUF file; names are given without the prefix.
class GgufValues final : public Values {
public:
  GgufValues(const ingest::GgufFile& file, const std::string& architecture) : file(file), prefix(architecture + ".") {}

  std::optional<Stated> find(std::string_view name) const override;
  std::string title(std::string_view name) const override { return prefix + std::string(name); }

private:
  const ingest::GgufFile& file;
  const std::string prefix;
};

} // namespace llcuda::models
