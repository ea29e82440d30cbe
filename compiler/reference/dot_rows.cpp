// SPDX-License-Identifier: Apache-2.0
#include "compiler/reference/dot_rows.h"

#include "codegen/reference/dot.h"

#include <cstring>

namespace llcuda::reference {
namespace {

// Half of the partial sums. An addition of two is the same IEEE operation in every lane, however wide the registers
// are.
typedef float Half __attribute__((vector_size(kLanes / 2 * sizeof(float)), aligned(4), may_alias));

const Half& load(const float* x) {
  return *reinterpret_cast<const Half*>(x);
}

__attribute__((target_clones("avx2", "default"))) void dotTile(const float* x, size_t columns, const float* weights,
                                                               float* sums) {
  Half low[kDotRows] = {}, high[kDotRows] = {};
  const size_t whole = columns / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    const Half xLow = load(x + i), xHigh = load(x + i + kLanes / 2);
#pragma GCC unroll 4
    for (size_t n = 0; n < kDotRows; ++n) {
      low[n] += xLow * load(weights + n * columns + i);
      high[n] += xHigh * load(weights + n * columns + i + kLanes / 2);
    }
  }
  float last[kDotRows][kLanes];
#pragma GCC unroll 4
  for (size_t n = 0; n < kDotRows; ++n) {
    std::memcpy(last[n], &low[n], sizeof(Half));
    std::memcpy(last[n] + kLanes / 2, &high[n], sizeof(Half));
  }
  for (size_t n = 0; n < kDotRows; ++n) {
    for (size_t i = whole; i < columns; ++i) last[n][i - whole] += x[i] * weights[n * columns + i];
    for (size_t half = kLanes / 2; half > 0; half /= 2)
      for (size_t lane = 0; lane < half; ++lane) last[n][lane] += last[n][lane + half];
    sums[n] = last[n][0];
  }
}

} // namespace

void dotRows(const float* x, size_t rows, size_t columns, const float* weights, size_t count, float* y, size_t stride) {
  float sums[kDotRows];
  for (size_t r = 0; r < rows; ++r) {
    dotTile(x + r * columns, columns, weights, sums);
    std::memcpy(y + r * stride, sums, count * sizeof(float));
  }
}

} // namespace llcuda::reference
