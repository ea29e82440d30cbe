// SPDX-License-Identifier: Apache-2.0
// The token list of a vocabulary: texts, scores, kinds, merges.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/text/text_config.h"

namespace llcuda::ingest {

/// Kinds of tokens, with the numbers that GGUF and SentencePiece give them.
enum class TokenKind : uint8_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

struct TokenList {
  std::vector<std::string> texts;                                    ///< UTF-8, by id
  std::vector<float> scores;                                         ///< as many, or none
  std::vector<TokenKind> kinds;                                      ///< as many
  std::vector<std::pair<std::string_view, std::string_view>> merges; ///< in the order of their rank
  std::unordered_map<std::string_view, int32_t> ids;                 ///< of `texts`
  size_t uselessMerges = 0;                                          ///< left out: they join or make what is no token
  size_t firstUselessMerge = 0;

  int32_t find(std::string_view text) const {
    const auto found = ids.find(text);
    return found == ids.end() ? text::kNoToken : found->second;
  }
};

} // namespace llcuda::ingest
