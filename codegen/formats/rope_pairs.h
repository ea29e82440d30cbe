// SPDX-License-Identifier: Apache-2.0
// Which elements of a head rotate together. Kernel templates take it as an argument.
#pragma once

namespace llcuda {

/// Pair i of the first `dimensions` elements.
enum class RopePairs : unsigned char {
  kAdjacent = 0, ///< (2i, 2i + 1)
  kHalves = 1,   ///< (i, i + dimensions / 2)
};

} // namespace llcuda
