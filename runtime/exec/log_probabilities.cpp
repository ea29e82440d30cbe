// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/log_probabilities.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace llcuda {

Result<LogProbabilities> LogProbabilities::of(std::span<const float> logits) {
  assert(!logits.empty());
  const auto broken = std::ranges::find_if(logits, [](float logit) { return !std::isfinite(logit); });
  if (broken != logits.end())
    return internalError("the logit of token ", broken - logits.begin(), " is not finite");
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

} // namespace llcuda
