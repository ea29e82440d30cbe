// SPDX-License-Identifier: Apache-2.0
// How a weight lies in device memory. Kernel templates take it as an argument; hosts and kernels find its planes here.
#pragma once

namespace llcuda {

/// A weight is one blob, 256-byte aligned, rows (outputs) before columns (inputs). The quantised layouts are two
/// planes, codes and scales; the second starts at the next multiple of 256 bytes. Per 32 weights of a row:
enum class WeightLayout : unsigned char {
  kF32Rows = 0,    ///< plain f32 [rows][columns]
  kF16Rows = 1,    ///< plain f16 [rows][columns]
  kQ4_0Planes = 2, ///< 16 bytes of nibbles; f16 d: weight = d * (code - 8)
  kQ4_1Planes = 3, ///< 16 bytes of nibbles; f16 d, f16 m: weight = d * code + m
  kQ8_0Planes = 4, ///< 32 signed bytes; f16 d: weight = d * code
};
// Nibbles: word j of the four holds elements 8j..8j+3 in the low and 8j+4..8j+7 in the high nibbles of its bytes.

constexpr unsigned kWeightLayouts = 5;

/// Columns are a multiple of this in every layout.
constexpr unsigned kWeightBlock = 32;

/// Bytes of a block of 32 weights in the first and in the second plane.
struct WeightBlockBytes {
  unsigned codes;
  unsigned scales; ///< 0: there is no second plane
};

constexpr WeightBlockBytes weightBlockBytes(WeightLayout layout) {
  switch (layout) {
  case WeightLayout::kF32Rows:
    return {128, 0};
  case WeightLayout::kF16Rows:
    return {64, 0};
  case WeightLayout::kQ4_0Planes:
    return {16, 2};
  case WeightLayout::kQ4_1Planes:
    return {16, 4};
  case WeightLayout::kQ8_0Planes:
    return {32, 2};
  }
  return {0, 0};
}

/// Where the second plane starts.
constexpr unsigned long long weightScalesOffset(WeightLayout layout, unsigned long long rows,
                                                unsigned long long columns) {
  return (rows * (columns / kWeightBlock) * weightBlockBytes(layout).codes + 255) / 256 * 256;
}

/// Whether kernels multiply the layout with int8 rows (else with f32 rows).
constexpr bool weightReadsInt8Rows(WeightLayout layout) {
  return layout != WeightLayout::kF32Rows && layout != WeightLayout::kF16Rows;
}

} // namespace llcuda
