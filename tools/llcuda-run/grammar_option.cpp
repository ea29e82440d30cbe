// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-run/grammar_option.h"

#include <utility>

namespace llcuda::run {

GrammarText grammarText(std::string text) {
  const bool isLark = text.starts_with("%llguidance");
  return {isLark ? LLCUDA_GRAMMAR_LARK : LLCUDA_GRAMMAR_GBNF, std::move(text)};
}

} // namespace llcuda::run
