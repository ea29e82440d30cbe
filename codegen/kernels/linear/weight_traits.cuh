// SPDX-License-Identifier: Apache-2.0
// How a decode linear reads a layout. One header for each layout specialises WeightTraits:
//
//   kUnit            weights of a row that a lane multiplies at a time; divides 32, or is 32
//   Unit             the unit's codes and scales in registers; Unit{} multiplies to 0
//   load             one unit of a row; rows are counted from where the planes point
//   Input            what kUnit elements of an input row look like in registers; loadInput reads them
//   dot              the sum of the unit's products
//   kScaleStep       of a layout that reads int8 rows: codes that share a scale, 16 or 32
//   codes            the unit as int8 codes, kUnit / 4 words in the order of the elements
//   scale            {scale, minimum} of part i of the unit's kScaleStep codes: weight = scale * code + minimum
//   four             4 weights of a row, dequantised; column is a multiple of 4
//
// kColumns is the length of a row, a multiple of 32. Loads are 16 bytes of codes at a time.
#pragma once

#include "codegen/formats/weight_layout.h"
#include "codegen/kernels/ptx/dot.cuh"
#include "codegen/kernels/ptx/half.cuh"
#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

/// The two planes of a weight, from some row on.
struct WeightPlanes {
  const uint8_t* codes;
  const uint8_t* scales;
};

template <WeightLayout kLayout, int kColumns>
LLCUDA_DEVICE WeightPlanes planesFrom(const uint8_t* weight, uint64_t scalesOffset, int row) {
  constexpr WeightBlockBytes kBytes = weightBlockBytes(kLayout);
  constexpr uint64_t kBlocks = kColumns / kWeightBlock;
  return {weight + row * (kBlocks * kBytes.codes), weight + scalesOffset + row * (kBlocks * kBytes.scales)};
}

/// Rows of activations in both forms; a layout reads one of them.
struct InputRows {
  const float* x;       ///< [rows][kColumns]
  const int8_t* codes;  ///< [rows][kColumns]
  const float2* scales; ///< [rows][kColumns / 32]
};

template <WeightLayout kLayout, int kColumns>
struct WeightTraits;

/// 32 int8 elements and their {d, d * sum}.
struct Int8Input {
  int4 x0, x1;
  float2 scale;
};

template <int kColumns>
LLCUDA_DEVICE Int8Input loadInt8Input(const InputRows& rows, int row, int block) {
  const int4* codes = reinterpret_cast<const int4*>(rows.codes + row * kColumns) + 2 * block;
  return {loadReadOnly(codes), loadReadOnly(codes + 1), loadReadOnly(rows.scales + row * (kColumns / 32) + block)};
}

LLCUDA_DEVICE Half loadReadOnlyHalf(const uint8_t* plane, uint64_t index) {
  return Half{loadReadOnly(reinterpret_cast<const uint16_t*>(plane) + index)};
}

/// 4 codes of a plane of nibbles, 0 ... 15, one in each byte.
LLCUDA_DEVICE uint32_t fourNibbles(const uint8_t* row, int column) {
  const uint32_t word = loadReadOnly(reinterpret_cast<const uint32_t*>(row) + column / 8);
  return word >> (column % 8) & 0x0f0f0f0fu; // columns 8j + 4 ... are the high nibbles of word j
}

} // namespace llcuda
