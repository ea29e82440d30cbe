// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/reasoning_budget.h"

#include <algorithm>
#include <utility>

#include "runtime/text/utf8.h"

namespace llcuda::serving {

ReasoningBudget::ReasoningBudget(ReasoningLimit given, const text::Tokenizer& tokenizer)
    : limit(std::move(given)), tokenizer(tokenizer), state(limit.start.empty() ? State::kInside : State::kBefore) {
  closeWhenSpent();
}

void ReasoningBudget::push(int32_t token) {
  if (state == State::kDone)
    return;
  if (state == State::kClosing) {
    if (++at == limit.closing.size())
      state = State::kDone;
    return;
  }
  seen += tokenizer.piece(token); // of a special token its name
  used += state == State::kInside;
  const std::string& marker = state == State::kBefore ? limit.start : limit.end;
  if (const std::size_t found = seen.find(marker); found != std::string::npos) {
    seen.erase(0, found + marker.size());
    state = state == State::kBefore ? State::kInside : State::kDone;
  }
  const std::size_t kept = std::max({limit.start.size(), limit.end.size(), std::size_t{4}}); // 4: a character
  seen.erase(0, seen.size() - std::min(seen.size(), kept));
  closeWhenSpent();
}

/// Not in the middle of a character, unless it never ends.
void ReasoningBudget::closeWhenSpent() {
  constexpr uint32_t kMostBytes = 4;
  if (state == State::kInside && used >= limit.tokens &&
      (text::incompleteTail(seen) == 0 || used >= limit.tokens + kMostBytes))
    state = State::kClosing;
}

std::optional<int32_t> ReasoningBudget::forced() const {
  return state == State::kClosing ? std::optional(limit.closing[at]) : std::nullopt;
}

} // namespace llcuda::serving
