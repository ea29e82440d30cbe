// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/text/tokenizer.h"

namespace llcuda::serving {

/// How much an answer may reason. In `start` and `end` special tokens stand by name.
struct ReasoningLimit {
  uint32_t tokens = 0;          ///< of reasoning, without its markers
  std::string start;            ///< reasoning begins behind it; empty: with the answer
  std::string end;              ///< and ends with it; not empty
  std::vector<int32_t> closing; ///< what comes when the tokens are spent; they end with `end`
};

/// Of one answer: the first reasoning in it counts.
class ReasoningBudget {
public:
  /// The tokenizer outlives it.
  ReasoningBudget(ReasoningLimit limit, const text::Tokenizer& tokenizer);

  /// A token of the answer.
  void push(int32_t token);
  /// The token that has to come next; nothing: any may.
  std::optional<int32_t> forced() const;
  /// Whether the next token but `more` others, which are not known yet, may be a forced one.
  bool mayForce(uint32_t more) const {
    return state == State::kClosing || (state != State::kDone && used + more >= limit.tokens);
  }

private:
  enum class State { kBefore, kInside, kClosing, kDone };
  void closeWhenSpent();

  ReasoningLimit limit;
  const text::Tokenizer& tokenizer;
  State state;
  uint32_t used = 0;  // tokens of reasoning
  std::size_t at = 0; // of `closing`
  std::string seen;   // the end of the text, in which a marker may begin
};

} // namespace llcuda::serving
