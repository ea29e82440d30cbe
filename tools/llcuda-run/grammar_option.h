// SPDX-License-Identifier: Apache-2.0
// Grammars as llama.cpp's users write them.
#pragma once

#include <string>
#include <string_view>

#include "llcuda/llcuda.hpp"

namespace llcuda::run {

/// A grammar before an engine reads it.
struct GrammarText {
  llcuda_grammar_kind kind;
  std::string text;
};

/// GBNF, or Lark where the first line begins with %llguidance.
GrammarText grammarText(std::string text);

} // namespace llcuda::run
