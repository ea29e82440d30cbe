// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include "codegen/formats/quantize_blocks.h"

namespace llcuda::formats {

FourBitEncoder::FourBitEncoder(const float (&values)[16]) {
  std::iota(codesByRank, codesByRank + 16, uint8_t{0});
  std::stable_sort(codesByRank, codesByRank + 16, [&](uint8_t a, uint8_t b) { return values[a] < values[b]; });
  for (int i = 0; i < 15; ++i) middles[i] = (values[codesByRank[i]] + values[codesByRank[i + 1]]) / 2;
}

uint8_t FourBitEncoder::codeOf(float value) const {
  int rank = 0;
  for (const float middle : middles) rank += value > middle;
  return codesByRank[rank];
}

float FourBitEncoder::encode(const float* values, int elements, uint8_t* codes) const {
  float absmax = 0;
  for (int i = 0; i < elements; ++i) absmax = std::max(absmax, std::fabs(values[i]));
  const float divisor = absmax == 0 ? 1 : absmax;
  for (int i = 0; i < elements; i += 2)
    codes[i / 2] = static_cast<uint8_t>(codeOf(values[i] / divisor) << 4 | codeOf(values[i + 1] / divisor));
  return absmax;
}

} // namespace llcuda::formats
