// SPDX-License-Identifier: Apache-2.0
// The cosines and sines of a rope, computed once in double and stored as float.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace llcuda::reference {

/// Pair i of position p turns by p * base^(-2 i / dimensions) / divisors[i] * scale.
struct RopeFrequencies {
  uint32_t dimensions = 0; ///< elements of a head that are rotated; even
  double base = 10000;
  double scale = 1;                 ///< 1 / factor of linear scaling
  double magnitude = 1;             ///< both cosine and sine are multiplied by it (yarn, longrope)
  std::vector<float> divisors = {}; ///< empty (all 1) or dimensions / 2 of them
};

/// {cos, sin} of [positions][dimensions / 2].
std::vector<float> ropeTable(const RopeFrequencies& rope, size_t positions);

} // namespace llcuda::reference
