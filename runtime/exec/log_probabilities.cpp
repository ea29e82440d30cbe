// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/log_probabilities.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace llcuda {
namespace {

Error notFinite(std::ptrdiff_t token) {
  return internalError("the logit of token ", token, " is not finite");
}

} // namespace

Result<LogProbabilities> LogProbabilities::of(std::span<const float> logits) {
  assert(!logits.empty());
  const auto broken = std::ranges::find_if(logits, [](float logit) { return !std::isfinite(logit); });
  if (broken != logits.end())
    return notFinite(broken - logits.begin());
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (float logit : logits) sum += std::exp(logit - largest);
  LogProbabilities result;
  result.logits = logits;
  result.logSum = largest + std::log(sum);
  return result;
}

float LogProbabilities::operator[](int32_t token) const {
  return static_cast<float>(logits[token] - logSum);
}

std::vector<Candidate> LogProbabilities::top(uint32_t count) const {
  std::vector<int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto last = order.begin() + std::min<std::ptrdiff_t>(count, static_cast<std::ptrdiff_t>(order.size()));
  std::partial_sort(order.begin(), last, order.end(),
                    [this](int32_t a, int32_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; });
  std::vector<Candidate> candidates;
  for (auto token = order.begin(); token != last; ++token) candidates.push_back({*token, (*this)[*token]});
  return candidates;
}

Result<ScoredToken> ScoredToken::of(std::span<const float> logits, int32_t token, uint32_t count) {
  LLCUDA_ASSIGN_OR_RETURN(const LogProbabilities probabilities, LogProbabilities::of(logits));
  return ScoredToken{probabilities[token], probabilities.top(count)};
}

Result<ScoredToken> ScoredToken::of(const TokenScore& score, uint32_t count) {
  assert(count <= static_cast<uint32_t>(kTopTokens));
  if (score.broken >= 0)
    return notFinite(score.broken);
  ScoredToken scored{score.logProbability, {}};
  for (uint32_t rank = 0; rank < count && score.topTokens[rank] >= 0; ++rank)
    scored.top.push_back({score.topTokens[rank], score.topLogProbabilities[rank]});
  return scored;
}

} // namespace llcuda
