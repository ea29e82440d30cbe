// SPDX-License-Identifier: Apache-2.0
// Rows of a phase for tests of kernels that keep states.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace llcuda::test {

/// Tokens of one sequence in a phase.
struct Part {
  int slot, position, count;
};

/// Where the rows of a phase lie: each part from a multiple of `rowBlock` on, padding between and behind them.
struct PhaseRows {
  PhaseRows(int rows, int rowBlock, const std::vector<Part>& parts) : positions(rows, -1), slots(rows, 0) {
    int row = 0;
    for (const Part& part : parts) {
      firstRows.push_back(row);
      for (int i = 0; i < part.count; ++i) positions[row + i] = part.position + i, slots[row + i] = part.slot;
      row += (part.count + rowBlock - 1) / rowBlock * rowBlock;
    }
  }
  int rows() const { return static_cast<int>(positions.size()); }

  std::vector<int> positions, slots, firstRows;
};

inline std::vector<float> normal(size_t count, unsigned seed, float spread = 1.f) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> distribution(0.f, spread);
  std::vector<float> values(count);
  for (float& x : values) x = distribution(generator);
  return values;
}

} // namespace llcuda::test
