// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/draft_chances.h"

#include <algorithm>

namespace llcuda::serving {
namespace {

/// How many times a frequency is taken to have been seen at the start, and how many a class of guesses remembers.
constexpr uint32_t kFirstWeight = 4, kClassWeight = 64;

} // namespace

void Frequency::follow(double happened) {
  chance += (happened - chance) / std::min(kFirstWeight + count++, last);
}

DraftChances::DraftChances()
    : records{{{0.1, kClassWeight},
               {0.3, kClassWeight},
               {0.5, kClassWeight},
               {0.7, kClassWeight},
               {0.85, kClassWeight},
               {0.93, kClassWeight},
               {0.97, kClassWeight},
               {0.99, kClassWeight}}} {}

std::size_t DraftChances::classOf(double sure) {
  return static_cast<std::size_t>(std::ranges::upper_bound(kBounds, sure) - kBounds.begin());
}

} // namespace llcuda::serving
