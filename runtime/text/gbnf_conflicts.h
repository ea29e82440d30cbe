// SPDX-License-Identifier: Apache-2.0
// Where reading the longest piece would change the language of a GBNF grammar.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "runtime/text/gbnf_grammar.h"

namespace llcuda::text::gbnf {

enum class Reading;

struct Conflicts {
  std::vector<uint32_t> nodes; ///< to be taken apart
  bool isComplete = true;      ///< false: the grammar is too large to say
};

/// With every node read as `readingOf` says. Errs on the side of a conflict.
Conflicts conflictsOf(const Grammar& grammar, const std::function<Reading(uint32_t node)>& readingOf);

} // namespace llcuda::text::gbnf
