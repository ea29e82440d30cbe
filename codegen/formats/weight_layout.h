// SPDX-License-Identifier: Apache-2.0
// How a weight lies in device memory. Kernel templates take it as an argument, so it is a plain enum on both sides.
#pragma once

namespace llcuda {

/// A weight is one blob, rows (outputs) before columns (inputs). The quantised layouts are two planes; the second
/// starts at the next multiple of 256 bytes after the first. Per 32 weights of a row:
enum class WeightLayout : unsigned char {
  kF32Rows = 0,    ///< plain f32 [rows][columns]
  kF16Rows = 1,    ///< plain f16 [rows][columns]
  kQ4_0Planes = 2, ///< 16 bytes of nibbles; f16 d: weight = d * (code - 8)
  kQ4_1Planes = 3, ///< 16 bytes of nibbles; f16 d, f16 m: weight = d * code + m
  kQ8_0Planes = 4, ///< 32 signed bytes; f16 d: weight = d * code
};
// Nibbles: word j of the four holds elements 8j..8j+3 in the low and 8j+4..8j+7 in the high nibbles of its bytes.

} // namespace llcuda
