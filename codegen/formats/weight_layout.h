// SPDX-License-Identifier: Apache-2.0
// How a weight lies in device memory. Kernel templates take it as an argument; hosts and kernels find its planes here.
#pragma once

#include "codegen/formats/stated.h"

namespace llcuda {

/// A weight is one blob, 256-byte aligned, rows (outputs) before columns (inputs). It is up to four planes, each
/// starting at the next multiple of 256 bytes: codes, high (further bits of the codes), scales (of groups of 16, 32 or
/// 64 weights) and supers (scales of 256 weights). encodings.inc has the bytes of each.
///
/// A plane is cut into tiles of 32 rows, the last filled up with rows of zeros. A row's bytes in a plane are granules,
/// and within a tile the same granule of all rows lies side by side. So what a warp reads of 32 rows, or of 8 as the
/// fragment of a tensor core, is whole lines of memory.
enum class WeightLayout : unsigned char {
#define LLCUDA_WEIGHT_LAYOUT(enumerator, ...) enumerator,
#include "codegen/formats/encodings.inc"
};

constexpr unsigned kWeightLayouts = 0
#define LLCUDA_WEIGHT_LAYOUT(...) +1
#include "codegen/formats/encodings.inc"
    ;

enum class WeightPlane : unsigned char { kCodes, kHigh, kScales, kSupers };

/// Which rows of activations kernels multiply a layout with.
enum class WeightInput : unsigned char { kFloats, kInt8Rows };

/// What a linear of many rows multiplies: f32 without tensor cores, or what tensor cores take.
enum class WeightProduct : unsigned char {
  kFloats,
  kHalves,
  kInt8Levels, ///< int8 codes that are near the weights; a linear of few rows multiplies the weights themselves
  kInt8Codes   ///< int8 codes that are the weights
};

/// What encodings.inc states of a layout.
struct WeightFacts {
  Stated<unsigned> columns;                     ///< of a block: a row is a multiple of this
  Stated<unsigned> codes, high, scales, supers; ///< bytes that a block has in each plane
  Stated<WeightInput> input;
  Stated<WeightProduct> product;
  Stated<unsigned> unit;      ///< weights of a row that a lane of a decode linear multiplies at a time
  Stated<unsigned> scaleStep; ///< codes that share a scale, 16 or 32; 0 where tensor cores take no codes
  Stated<bool> minimum;       ///< weights have one beside their scale
};

constexpr WeightFacts weightFacts(WeightLayout layout) {
  switch (layout) {
#define LLCUDA_WEIGHT_LAYOUT(enumerator, name, planes, weight, ...)                                                    \
  case WeightLayout::enumerator:                                                                                       \
    return {__VA_ARGS__};
#include "codegen/formats/encodings.inc"
  }
  __builtin_unreachable();
}

/// Bytes that a block of `columns` weights of a row has in each plane.
struct WeightBlockBytes {
  unsigned columns; ///< a row is a multiple of this
  unsigned codes, high, scales, supers;
};

constexpr WeightBlockBytes weightBlockBytes(WeightLayout layout) {
  const WeightFacts facts = weightFacts(layout);
  return {facts.columns, facts.codes, facts.high, facts.scales, facts.supers};
}

constexpr unsigned weightPlaneBlockBytes(WeightLayout layout, WeightPlane plane) {
  const WeightBlockBytes block = weightBlockBytes(layout);
  return plane == WeightPlane::kCodes    ? block.codes
         : plane == WeightPlane::kHigh   ? block.high
         : plane == WeightPlane::kScales ? block.scales
                                         : block.supers;
}

/// Rows of a tile.
constexpr unsigned kWeightTileRows = 32;

/// Rows that a weight of `rows` has in memory.
constexpr unsigned long long weightStoredRows(unsigned long long rows) {
  return (rows + kWeightTileRows - 1) / kWeightTileRows * kWeightTileRows;
}

/// Bytes of a granule: up to 16 of the codes of 32 weights, all of their further bits, scales of a block.
constexpr unsigned weightGranuleBytes(WeightLayout layout, WeightPlane plane) {
  const unsigned block = weightPlaneBlockBytes(layout, plane);
  if (plane == WeightPlane::kScales || plane == WeightPlane::kSupers)
    return block;
  const unsigned of32 = block * 32 / weightBlockBytes(layout).columns;
  return of32 < 16 ? of32 : 16;
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
    const unsigned long long bytes = weightStoredRows(rows) * weightRowBytes(layout, before, columns);
    return before < plane ? (bytes + 255) / 256 * 256 : 0;
  };
  return bytesBefore(WeightPlane::kCodes) + bytesBefore(WeightPlane::kHigh) + bytesBefore(WeightPlane::kScales);
}

/// Where granule `granule` of row 0 of a tile of rows is in a plane; the tile's other rows follow.
constexpr unsigned long long weightGranuleOffset(WeightLayout layout, WeightPlane plane, unsigned long long columns,
                                                 unsigned long long tile, unsigned long long granule) {
  return kWeightTileRows *
         (tile * weightRowBytes(layout, plane, columns) + granule * weightGranuleBytes(layout, plane));
}

constexpr unsigned long long weightScalesOffset(WeightLayout layout, unsigned long long rows,
                                                unsigned long long columns) {
  return weightPlaneOffset(layout, WeightPlane::kScales, rows, columns);
}

/// Columns are at least a multiple of this in every layout.
constexpr unsigned kWeightBlock = 32;

/// Whether kernels multiply the layout with int8 rows (else with f32 rows).
constexpr bool weightReadsInt8Rows(WeightLayout layout) {
  return weightFacts(layout).input == WeightInput::kInt8Rows;
}

/// Whether a linear of many rows goes to tensor cores, which take several layouts in one launch.
constexpr bool weightTakesTensorCores(WeightLayout layout) {
  return weightFacts(layout).product != WeightProduct::kFloats;
}

/// Whether tensor cores multiply the layout's weights as int8 codes.
constexpr bool weightHasInt8Codes(WeightLayout layout) {
  return weightFacts(layout).product >= WeightProduct::kInt8Levels;
}

/// Whether linears of any number of rows do.
constexpr bool weightIsInt8Codes(WeightLayout layout) {
  return weightFacts(layout).product == WeightProduct::kInt8Codes;
}

/// Whether the layout's weights have a minimum beside their scale.
constexpr bool weightHasMinimum(WeightLayout layout) {
  return weightFacts(layout).minimum;
}

/// Scales that 32 weights have where tensor cores multiply int8 codes.
constexpr unsigned weightScalesOf32(WeightLayout layout) {
  return 32 / weightFacts(layout).scaleStep;
}

/// Whether the facts of a layout are ones that kernels can have.
constexpr bool weightFactsHold(WeightLayout layout) {
  const WeightFacts facts = weightFacts(layout);
  const bool int8 = weightHasInt8Codes(layout);
  return facts.columns % kWeightBlock == 0 && 32 % facts.unit == 0 && (!int8 || weightReadsInt8Rows(layout)) &&
         (int8 ? facts.scaleStep == 16 || facts.scaleStep == 32 : facts.scaleStep == 0 && !facts.minimum);
}
#define LLCUDA_WEIGHT_LAYOUT(enumerator, ...) static_assert(weightFactsHold(WeightLayout::enumerator));
#include "codegen/formats/encodings.inc"

} // namespace llcuda
