// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace llcuda {

/// A scale that grows with the position, by steps: 1 + rate * ln(1 + floor(position / period)).
struct PositionGrowth {
  double rate = 0;   ///< 0: none
  double period = 1; ///< positions, above 0

  bool operator==(const PositionGrowth&) const = default;
};

} // namespace llcuda
