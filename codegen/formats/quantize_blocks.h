// SPDX-License-Identifier: Apache-2.0
// One block of each encoding from its values: the parts of `quantizeRow`.
#pragma once

#include <cstdint>

#include "codegen/formats/nf4.h"
#include "codegen/formats/q4_0.h"
#include "codegen/formats/q4_1.h"
#include "codegen/formats/q4_k.h"
#include "codegen/formats/q5_0.h"
#include "codegen/formats/q5_1.h"
#include "codegen/formats/q5_k.h"
#include "codegen/formats/q6_k.h"
#include "codegen/formats/q8_0.h"

namespace llcuda::formats {

// quantize_rounded.cpp: the scale is the block's range over the number of steps, codes are rounded.
void quantize(const float* values, BlockQ8_0& block);
void quantize(const float* values, BlockQ4_0& block);
void quantize(const float* values, BlockQ4_1& block);
void quantize(const float* values, BlockQ5_0& block);
void quantize(const float* values, BlockQ5_1& block);

// quantize_fitted.cpp: scales and minima are searched for the least weighted squared error. `importance` is that of
// quantizeRow.
void quantizeFitted(const float* values, const float* importance, BlockQ4_0& block); ///< `importance` is not null
void quantizeFitted(const float* values, const float* importance, BlockQ5_0& block); ///< `importance` is not null
void quantizeFitted(const float* values, const float* importance, BlockQ4_K& block);
void quantizeFitted(const float* values, const float* importance, BlockQ5_K& block);
void quantizeFitted(const float* values, const float* importance, BlockQ6_K& block);

/// Codes of 32 elements: a nibble each, element j and j + 16 in a byte, and the fifth bits.
void storeNibbles(const uint8_t (&codes)[32], uint8_t (&out)[16]);
void storeFifthBits(const uint8_t (&codes)[32], uint8_t (&out)[4]);

/// quantize_four_bit.cpp: codes of the nearest of 16 values times the largest magnitude.
class FourBitEncoder {
public:
  explicit FourBitEncoder(const float (&values)[16]);

  /// Writes `elements` / 2 bytes, the first of two elements in the high nibble, and returns the largest magnitude.
  float encode(const float* values, int elements, uint8_t* codes) const;

private:
  static constexpr int kPiece = 64;
  void encodePiece(const float* values, float divisor, int elements, uint8_t* codes) const;

  float middles[15];       // between neighbours of the sorted table
  uint8_t codesByRank[16]; // of the sorted table
};

} // namespace llcuda::formats
