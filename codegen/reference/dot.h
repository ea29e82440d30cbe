// SPDX-License-Identifier: Apache-2.0
// The order in which every reference sums a row: kLanes partial sums (element i goes to sum i % kLanes), then halves
// added to halves. A fixed order gives the same bytes everywhere, and one that maps to vector registers.
#pragma once

#include <cstddef>

namespace llcuda::reference {

inline constexpr size_t kLanes = 16;

/// The sum of `term(i)` for i < count.
template <typename Acc, typename Term>
Acc laneSum(size_t count, Term term) {
  Acc lanes[kLanes] = {};
  for (size_t i = 0; i < count; ++i) lanes[i % kLanes] += term(i);
  for (size_t half = kLanes / 2; half > 0; half /= 2)
    for (size_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  return lanes[0];
}

template <typename Acc, typename A, typename B>
Acc dot(const A* a, const B* b, size_t count) {
  return laneSum<Acc>(count, [&](size_t i) { return static_cast<Acc>(a[i]) * static_cast<Acc>(b[i]); });
}

} // namespace llcuda::reference
