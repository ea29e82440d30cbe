// SPDX-License-Identifier: Apache-2.0
// A slot's sequence breakers as the sample kernel reads them (sampling.h), on the host.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <vector>

#include "codegen/formats/sampling.h"

namespace llcuda {

/// Of breakers that are one token or several after one another, at most 1 + kDryTailTokens, all below `vocabulary`.
/// Nothing when those of several tokens are too many.
inline std::optional<std::vector<uint32_t>> packDryBreakers(int vocabulary,
                                                            const std::vector<std::vector<int32_t>>& breakers) {
  const auto words = static_cast<size_t>(tokenBitWords(vocabulary));
  std::vector<uint32_t> packed(static_cast<size_t>(dryBreakerWords(vocabulary)));
  DryTails tails = {};
  std::vector<DryTails::Pair> pairs;
  std::map<std::vector<int32_t>, uint32_t> known; // tails
  for (const std::vector<int32_t>& breaker : breakers) {
    const auto head = static_cast<uint32_t>(breaker[0]);
    packed[(breaker.size() == 1 ? 0 : words) + head / 32] |= 1u << head % 32;
    if (breaker.size() == 1)
      continue;
    const std::vector<int32_t> tail(breaker.begin() + 1, breaker.end());
    const auto [place, isNew] = known.try_emplace(tail, static_cast<uint32_t>(known.size()));
    if (known.size() > kDryTails || pairs.size() == kDryPairs || tail.size() > kDryTailTokens)
      return std::nullopt;
    if (isNew) {
      tails.tails[place->second].length = static_cast<uint32_t>(tail.size());
      std::ranges::copy(tail, tails.tails[place->second].tokens);
    }
    pairs.push_back({breaker[0], place->second});
  }
  std::ranges::stable_sort(pairs, {}, &DryTails::Pair::head);
  std::ranges::copy(pairs, tails.pairs);
  tails.pairCount = static_cast<uint32_t>(pairs.size());
  std::memcpy(packed.data() + 2 * words, &tails, sizeof(tails));
  return packed;
}

} // namespace llcuda
