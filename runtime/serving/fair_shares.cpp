// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/fair_shares.h"

#include <algorithm>

namespace llcuda::serving {

void FairShares::join(const std::string& key) {
  const auto [entry, isNew] = shares.try_emplace(key);
  if (isNew) { // it begins with the round that the others are in
    uint64_t least = UINT64_MAX;
    for (const auto& [other, share] : shares)
      if (other != key)
        least = std::min(least, share.used);
    entry->second.used = least == UINT64_MAX ? 0 : least / quantum * quantum;
  }
  ++entry->second.requests;
}

void FairShares::leave(const std::string& key) {
  if (--shares.at(key).requests == 0)
    shares.erase(key);
}

std::vector<uint64_t> FairShares::rounds(std::span<const Waiting> waiting) const {
  std::map<std::string, uint64_t> used;
  std::vector<uint64_t> rounds;
  for (const auto& [key, cost] : waiting) {
    uint64_t& sum = used.try_emplace(*key, shares.at(*key).used).first->second;
    sum += cost;
    rounds.push_back((sum + quantum - 1) / quantum);
  }
  return rounds;
}

} // namespace llcuda::serving
