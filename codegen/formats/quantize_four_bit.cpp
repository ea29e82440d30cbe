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

void FourBitEncoder::encodePiece(const float* values, float divisor, int elements, uint8_t* codes) const {
  float scaled[kPiece] = {};
  int32_t ranks[kPiece] = {};
  for (int i = 0; i < elements; ++i) scaled[i] = values[i] / divisor;
  // A loop over the whole piece for each middle: several values at a time.
  for (const float middle : middles)
    for (int i = 0; i < kPiece; ++i) ranks[i] += scaled[i] > middle ? 1 : 0;
  for (int i = 0; i < elements; i += 2)
    codes[i / 2] = static_cast<uint8_t>(codesByRank[ranks[i]] << 4 | codesByRank[ranks[i + 1]]);
}

float FourBitEncoder::encode(const float* values, int elements, uint8_t* codes) const {
  float absmax = 0;
  for (int i = 0; i < elements; ++i) absmax = std::max(absmax, std::fabs(values[i]));
  for (int first = 0; first < elements; first += kPiece)
    encodePiece(values + first, absmax == 0 ? 1 : absmax, std::min(kPiece, elements - first), codes + first / 2);
  return absmax;
}

} // namespace llcuda::formats
