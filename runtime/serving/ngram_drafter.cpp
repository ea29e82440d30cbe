// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/ngram_drafter.h"

#include <algorithm>
#include <bit>

namespace llcuda::serving {
namespace {

/// How many guesses a chance remembers, at the start and at most.
constexpr uint32_t kFirstWeight = 4, kLastWeight = 24;
/// Tokens that an edit may make more or fewer.
constexpr uint32_t kNear = 6;

} // namespace

NgramDrafter::NgramDrafter(uint32_t least, uint32_t capacity, std::span<const int32_t> tokens)
    : least(least), lookup(least, capacity),
      known(static_cast<uint32_t>(tokens.size())), records{{{0.4}, {0.6}, {0.75}, {0.85}, {0.9}}} {
  lookup.follow(tokens);
  match = lookup.find(tokens);
  place = match.next;
}

std::size_t NgramDrafter::classOf(uint32_t length) const {
  return std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(length / least)), kClasses) - 1;
}

void NgramDrafter::follow(std::span<const int32_t> tokens) {
  for (; known < tokens.size(); ++known) {
    if (match.length != 0) {
      Record& record = isResumed ? resumed : records[classOf(match.length)];
      const double came = tokens[match.next] == tokens[known] ? 1 : 0;
      record.chance += (came - record.chance) / std::min(kFirstWeight + record.count++, kLastWeight);
    }
    const auto sequence = tokens.first(known + 1);
    lookup.follow(sequence);
    match = lookup.find(sequence);
    place += place != 0;
    isResumed = match.length == 0 && place != 0;
    if (isResumed)
      match = nearPlace(sequence);
    if (match.length != 0)
      place = match.next;
  }
}

/// Where the last token stands near the place that was reached: the nearest one counts.
NgramLookup::Match NgramDrafter::nearPlace(std::span<const int32_t> tokens) const {
  const auto last = static_cast<uint32_t>(tokens.size() - 1);
  NgramLookup::Match nearest;
  uint32_t distance = kNear + 1;
  for (uint32_t next = place - std::min(place - 1, kNear); next < std::min(last, place + kNear + 1); ++next)
    if (const uint32_t away = next < place ? place - next : next - place;
        tokens[next - 1] == tokens[last] && away < distance) {
      nearest = {least, next};
      distance = away;
    }
  return nearest;
}

Guess NgramDrafter::guess(std::span<const int32_t> tokens, uint32_t skipped, uint32_t most) const {
  Guess guess;
  if (match.length == 0)
    return guess;
  double chance = 1;
  const uint32_t period = known - match.next; // what was said again may be said once more
  for (uint32_t i = 0; i < skipped + most; ++i) {
    chance *= recordOf(i).chance;
    if (i < skipped)
      continue;
    guess.tokens.push_back(tokens[match.next + i % period]);
    guess.chances.push_back(chance);
  }
  return guess;
}

} // namespace llcuda::serving
