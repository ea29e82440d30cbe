// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/ngram_lookup.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace llcuda::serving {
namespace {

constexpr uint32_t kNone = UINT32_MAX;
/// Ends of a bucket that are looked at: a text of one repeated token has them all in one.
constexpr uint32_t kTries = 32;

} // namespace

NgramLookup::NgramLookup(uint32_t least, uint32_t capacity)
    : least(least), newest(std::bit_ceil(std::max(capacity, 16u)), kNone) {
  assert(least >= 1 && least <= kLongest);
}

std::size_t NgramLookup::bucketOf(std::span<const int32_t> tokens, uint32_t end) const {
  uint64_t hash = 0;
  for (uint32_t i = end - least; i < end; ++i) hash = (hash ^ static_cast<uint32_t>(tokens[i])) * 0x9e3779b97f4a7c15u;
  return (hash >> 32) & (newest.size() - 1);
}

void NgramLookup::follow(std::span<const int32_t> tokens) {
  while (before.size() <= tokens.size()) {
    const auto end = static_cast<uint32_t>(before.size());
    before.push_back(kNone);
    if (end < least)
      continue;
    uint32_t& head = newest[bucketOf(tokens, end)];
    before[end] = head;
    head = end;
  }
}

NgramLookup::Match NgramLookup::find(std::span<const int32_t> tokens) const {
  const auto size = static_cast<uint32_t>(tokens.size());
  assert(before.size() == tokens.size() + 1);
  Match best;
  uint32_t end = before[size];
  for (uint32_t tries = 0; end != kNone && tries < kTries && best.length < kLongest; ++tries, end = before[end]) {
    uint32_t length = 0;
    while (length < std::min(end, kLongest) && tokens[end - 1 - length] == tokens[size - 1 - length]) ++length;
    if (length >= least && length > best.length)
      best = {length, end};
  }
  return best;
}

} // namespace llcuda::serving
