// SPDX-License-Identifier: Apache-2.0
// What an engine holds of a model's vocabulary, whatever kind of file it comes from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/text/text_config.h"

namespace llcuda::ingest {

struct Vocabulary {
  std::string tokenizerJson; ///< empty for a model without a vocabulary
  text::TextConfig config;
  uint32_t size = 0;              ///< one more than the highest id
  std::vector<std::string> notes; ///< what was left out
};

} // namespace llcuda::ingest
