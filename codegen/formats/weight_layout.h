// SPDX-License-Identifier: Apache-2.0
// How a weight lies in device memory. Kernel templates take it as an argument; hosts and kernels find its planes here.
#pragma once

namespace llcuda {

/// A weight is one blob, 256-byte aligned, rows (outputs) before columns (inputs). It is up to four planes, each with
/// rows of its own and each starting at the next multiple of 256 bytes: codes, high (further bits of the codes), scales
/// (of groups of 16, 32 or 64 weights) and supers (scales of 256 weights). docs/formats.md has the bytes of each.
enum class WeightLayout : unsigned char {
  kF32Rows = 0,         ///< plain f32 [rows][columns]
  kF16Rows = 1,         ///< plain f16 [rows][columns]
  kQ4_0Planes = 2,      ///< nibbles; f16 d: weight = d * (code - 8)
  kQ4_1Planes = 3,      ///< nibbles; f16 d, f16 m: weight = d * code + m
  kQ8_0Planes = 4,      ///< signed bytes; f16 d: weight = d * code
  kQ5_0Planes = 5,      ///< nibbles, bits; f16 d: weight = d * (code - 16)
  kQ5_1Planes = 6,      ///< nibbles, bits; f16 d, f16 m: weight = d * code + m
  kQ2_KPlanes = 7,      ///< pairs; bytes {scale, min} of 16; f16 d, dmin: weight = d * scale * code - dmin * min
  kQ3_KPlanes = 8,      ///< pairs, bits; six-bit scales of 16; f16 d: weight = d * (scale - 32) * (code - 4)
  kQ4_KPlanes = 9,      ///< nibbles; six-bit records: weight = d * scale * code - dmin * min
  kQ5_KPlanes = 10,     ///< nibbles, bits; the same
  kQ6_KPlanes = 11,     ///< nibbles, pairs; signed scales of 16; f32 d: weight = d * scale * (code - 32)
  kIQ4_NLPlanes = 12,   ///< nibbles in order; f16 d: weight = d * kIq4Levels[code]
  kIQ4_XSPlanes = 13,   ///< nibbles in order; six-bit scales: weight = d * scale * kIq4Levels[code]
  kMXFP4Planes = 14,    ///< nibbles in order; exponent bytes: weight = mxfp4Scale(e) * kFp4Levels[code]
  kNf4Planes = 15,      ///< nibbles in order; f32 absmax of 64: weight = kNf4Values[code] * absmax
  kNf4ShortPlanes = 16, ///< the same, absmax of 32
  kFp4Planes = 17,      ///< the same with kFp4Values, absmax of 64
  kFp4ShortPlanes = 18, ///< absmax of 32
  kS8Planes = 19,       ///< signed bytes; f32 scale of 16: weight = scale * code; what other encodings become
};
constexpr unsigned kWeightLayouts = 20;

// Nibbles: word j of the four of 32 weights holds elements 8j ... 8j+3 in the low and 8j+4 ... 8j+7 in the high nibbles
// of its bytes; nibbles in order: nibble i is element 8j + i.
// Pairs (two bits): word j of the two holds elements 16j + 4t ... 16j + 4t + 3 in bits 2t, 2t + 1 of its bytes.
// Bits: the one word holds elements 4t ... 4t + 3 in bit t of its bytes.

enum class WeightPlane : unsigned char { kCodes, kHigh, kScales, kSupers };

/// Bytes that a block of `columns` weights of a row has in each plane.
struct WeightBlockBytes {
  unsigned columns; ///< a row is a multiple of this
  unsigned codes, high, scales, supers;
};

constexpr WeightBlockBytes weightBlockBytes(WeightLayout layout) {
  switch (layout) {
  case WeightLayout::kF32Rows:
    return {32, 128, 0, 0, 0};
  case WeightLayout::kF16Rows:
    return {32, 64, 0, 0, 0};
  case WeightLayout::kQ4_0Planes:
  case WeightLayout::kIQ4_NLPlanes:
    return {32, 16, 0, 2, 0};
  case WeightLayout::kQ4_1Planes:
    return {32, 16, 0, 4, 0};
  case WeightLayout::kQ8_0Planes:
    return {32, 32, 0, 2, 0};
  case WeightLayout::kQ5_0Planes:
    return {32, 16, 4, 2, 0};
  case WeightLayout::kQ5_1Planes:
    return {32, 16, 4, 4, 0};
  case WeightLayout::kQ2_KPlanes:
    return {256, 64, 0, 16, 4};
  case WeightLayout::kQ3_KPlanes:
    return {256, 64, 32, 12, 2};
  case WeightLayout::kQ4_KPlanes:
    return {256, 128, 0, 16, 0};
  case WeightLayout::kQ5_KPlanes:
    return {256, 128, 32, 16, 0};
  case WeightLayout::kQ6_KPlanes:
    return {256, 128, 64, 16, 4};
  case WeightLayout::kIQ4_XSPlanes:
    return {256, 128, 0, 8, 0};
  case WeightLayout::kMXFP4Planes:
    return {32, 16, 0, 1, 0};
  case WeightLayout::kNf4Planes:
  case WeightLayout::kFp4Planes:
    return {64, 32, 0, 4, 0};
  case WeightLayout::kNf4ShortPlanes:
  case WeightLayout::kFp4ShortPlanes:
    return {32, 16, 0, 4, 0};
  case WeightLayout::kS8Planes:
    return {32, 32, 0, 8, 0};
  }
  return {32, 0, 0, 0, 0};
}

constexpr unsigned weightPlaneBlockBytes(WeightLayout layout, WeightPlane plane) {
  const WeightBlockBytes block = weightBlockBytes(layout);
  return plane == WeightPlane::kCodes    ? block.codes
         : plane == WeightPlane::kHigh   ? block.high
         : plane == WeightPlane::kScales ? block.scales
                                         : block.supers;
}

/// Bytes of a row in a plane.
constexpr unsigned long long weightRowBytes(WeightLayout layout, WeightPlane plane, unsigned long long columns) {
  return columns / weightBlockBytes(layout).columns * weightPlaneBlockBytes(layout, plane);
}

/// Where a plane starts in the blob.
constexpr unsigned long long weightPlaneOffset(WeightLayout layout, WeightPlane plane, unsigned long long rows,
                                               unsigned long long columns) {
  // Not a loop over the planes: a device compiler would leave it to every kernel, within its loop over the inputs.
  const auto bytesBefore = [&](WeightPlane before) {
    return before < plane ? (rows * weightRowBytes(layout, before, columns) + 255) / 256 * 256 : 0;
  };
  return bytesBefore(WeightPlane::kCodes) + bytesBefore(WeightPlane::kHigh) + bytesBefore(WeightPlane::kScales);
}

constexpr unsigned long long weightScalesOffset(WeightLayout layout, unsigned long long rows,
                                                unsigned long long columns) {
  return weightPlaneOffset(layout, WeightPlane::kScales, rows, columns);
}

/// Columns are at least a multiple of this in every layout.
constexpr unsigned kWeightBlock = 32;

/// Whether kernels multiply the layout with int8 rows (else with f32 rows).
constexpr bool weightReadsInt8Rows(WeightLayout layout) {
  return layout != WeightLayout::kF32Rows && layout != WeightLayout::kF16Rows;
}

/// Whether tensor cores multiply the layout's weights as int8 codes (else as f16).
constexpr bool weightHasInt8Codes(WeightLayout layout) {
  switch (layout) {
  case WeightLayout::kF32Rows:
  case WeightLayout::kF16Rows:
  case WeightLayout::kNf4Planes:
  case WeightLayout::kNf4ShortPlanes:
  case WeightLayout::kFp4Planes:
  case WeightLayout::kFp4ShortPlanes:
    return false;
  default:
    return true;
  }
}

/// Whether the layout's weights have a minimum beside their scale.
constexpr bool weightHasMinimum(WeightLayout layout) {
  switch (layout) {
  case WeightLayout::kQ4_1Planes:
  case WeightLayout::kQ5_1Planes:
  case WeightLayout::kQ2_KPlanes:
  case WeightLayout::kQ4_KPlanes:
  case WeightLayout::kQ5_KPlanes:
    return true;
  default:
    return false;
  }
}

} // namespace llcuda
