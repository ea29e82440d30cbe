// SPDX-License-Identifier: Apache-2.0
// What an engine holds of a model's vocabulary, whatever kind of file it comes from.
#pragma once

#include <string>

#include "runtime/text/text_config.h"

namespace llcuda::ingest {

struct Vocabulary {
  std::string tokenizerJson; ///< empty for a model without a vocabulary
  text::TextConfig config;
};

} // namespace llcuda::ingest
