// SPDX-License-Identifier: Apache-2.0
// "model-00001-of-00003.gguf": how the parts of a split GGUF file are called.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace llcuda::ingest {

struct SplitName {
  std::string prefix; ///< "model"
  uint64_t count = 1;
};

/// "-00001-of-00003.gguf" for part 0 of 3.
std::string partEnding(uint64_t number, uint64_t count);

/// Nothing for a file that is not called as a part is.
std::optional<SplitName> splitName(const std::string& path);

/// The name of part `number`, counted from 0.
std::string partName(const SplitName& split, uint64_t number);

} // namespace llcuda::ingest
