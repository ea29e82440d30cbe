// SPDX-License-Identifier: Apache-2.0
// (x[a], x[b]) -> (x[a] cos - x[b] sin, x[a] sin + x[b] cos) for each pair (a, b) of a head and the row's position
#pragma once

#include <cstddef>
#include <cstdint>

#include "codegen/formats/rope_pairs.h"

namespace llcuda::reference {

using llcuda::RopePairs;

/// `x` and `y` are [rows][heads][headSize] and may be the same. `table` is of rope_table.h with dimensions / 2 pairs;
/// elements past `dimensions` are copied. A row of position -1 is copied whole.
template <typename Acc, typename In>
void rope(const In* x, const float* table, const int32_t* positions, RopePairs pairs, size_t rows, size_t heads,
          size_t headSize, size_t dimensions, Acc* y) {
  const size_t half = dimensions / 2;
  const size_t stride = pairs == RopePairs::kAdjacent ? 2 : 1;
  const size_t partner = pairs == RopePairs::kAdjacent ? 1 : half;
  for (size_t head = 0; head < rows * heads; ++head) {
    const In* from = x + head * headSize;
    Acc* to = y + head * headSize;
    const int32_t position = positions[head / heads];
    const size_t rotated = position < 0 ? 0 : dimensions;
    for (size_t i = 0; i < rotated / 2; ++i) {
      const float* angle = table + (static_cast<size_t>(position) * half + i) * 2;
      const Acc c = angle[0], s = angle[1];
      const Acc a = from[i * stride], b = from[i * stride + partner];
      to[i * stride] = a * c - b * s;
      to[i * stride + partner] = a * s + b * c;
    }
    for (size_t i = rotated; i < headSize; ++i) to[i] = from[i];
  }
}

} // namespace llcuda::reference
