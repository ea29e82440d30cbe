// SPDX-License-Identifier: Apache-2.0
// The JSON header of a safetensors file.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace llcuda::ingest {

struct SafetensorsEntry {
  std::string name;
  std::string dtype;
  std::vector<uint64_t> shape;
  std::array<uint64_t, 2> offsets = {}; ///< first byte and the one after the last, from the start of the data
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;       ///< names differ
  std::map<std::string, std::string> metadata; ///< `__metadata__`
};

/// Reads the header as a stream: what it makes is never larger than the text by more than a small factor. Keys that
/// come twice, keys that the format lacks, values of the wrong type and text that is not JSON are bad input. Messages
/// lack the file's name.
Result<SafetensorsHeader> parseSafetensorsHeader(std::string_view json);

} // namespace llcuda::ingest
