// SPDX-License-Identifier: Apache-2.0
// The hyperparameters `<architecture>.*` of a GGUF file, typed and bounded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/ingest/gguf_reader.h"
#include "compiler/models/config_limits.h"
#include "runtime/base/result.h"

namespace llcuda::models {

/// Reads the keys of one architecture; names are given without its prefix. A value of the wrong type or out of bounds is
/// kBadInput and names the key.
class GgufKeys {
public:
  GgufKeys(const ingest::GgufFile& file, const std::string& architecture) : file(file), prefix(architecture + ".") {}

  bool has(const std::string& key) const { return find(key) != nullptr; }

  Result<uint32_t> required(const std::string& key, Bounds bounds) const;
  Result<uint32_t> optional(const std::string& key, uint32_t fallback, Bounds bounds) const;
  /// A finite number.
  Result<double> number(const std::string& key, double fallback) const;
  /// A finite number above 0.
  Result<double> positive(const std::string& key, double fallback) const;
  Result<bool> flag(const std::string& key, bool fallback) const;
  Result<std::string> text(const std::string& key, const std::string& fallback) const;
  /// `count` flags, one for each layer: the elements of an array, or of a period p all but every p-th.
  Result<std::vector<bool>> pattern(const std::string& key, uint32_t fallbackPeriod, uint32_t count) const;

private:
  const ingest::GgufValue* find(const std::string& key) const { return file.find(prefix + key); }
  Result<uint32_t> read(const std::string& key, const ingest::GgufValue& value, Bounds bounds) const;

  const ingest::GgufFile& file;
  std::string prefix;
};

} // namespace llcuda::models
