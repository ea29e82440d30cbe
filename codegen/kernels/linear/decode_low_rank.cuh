// SPDX-License-Identifier: Apache-2.0
// Low-rank products that a decode linear adds to those of its weights: low_rank_operand.cuh
//
//   numerics  f32. The warps of a block share the granules of a row as they do its slices, and add to the sums of their
//             slice: the order depends on the rank and the cut alone
//   sm_75     the first granules of b are loaded before the linear's own weights, and are there when these are done
#pragma once

#include "codegen/kernels/linear/decode_parts.cuh"
#include "codegen/kernels/linear/low_rank_operand.cuh"

namespace llcuda {

/// What the calling warp, which has slice `slice` of a weight, adds.
template <int kRank, int kM, int kSlices>
struct LowRankTerm {
  using Traits = WeightTraits<WeightLayout::kF16Rows, kRank>;
  using Unit = typename Traits::Unit;
  static constexpr int kGranules = kRank / Traits::kUnit, kOfWarp = ceilDivide(kGranules, kSlices);
  static constexpr int kEarly = kOfWarp < 2 ? kOfWarp : 2;
  const float* low;
  const uint8_t* weight; ///< or null
  WeightPlanes planes;
  int row, slice;
  Unit early[kEarly] = {};

  LLCUDA_DEVICE LowRankTerm(const LowRank& of, int index, int rows, int block, int slice)
      : low(of.low), weight(of.weights[index]), planes(planesOf<WeightLayout::kF16Rows, kRank>(weight, rows)),
        row(block * kDecodeRows + laneId()), slice(slice) {
    if (weight == nullptr)
      return;
    LLCUDA_UNROLL
    for (int i = 0; i < kEarly; ++i)
      if (granule(i) < kGranules)
        early[i] = Traits::load(planes, row, granule(i));
  }

  /// Adds to the sums of the warp's slice, which it has stored.
  LLCUDA_DEVICE void addTo(float* sums) const {
    if (weight == nullptr || slice >= kGranules)
      return; // the whole warp
    float own[kM] = {};
    LLCUDA_UNROLL
    for (int i = 0; i < kEarly; ++i)
      if (granule(i) < kGranules)
        multiply(granule(i), early[i], own);
    LLCUDA_NO_UNROLL
    for (int i = kEarly; i < kOfWarp; ++i)
      if (granule(i) < kGranules)
        multiply(granule(i), Traits::load(planes, row, granule(i)), own);
    syncWarp();
    LLCUDA_UNROLL
    for (int b = 0; b < kM; ++b) sums[b * kSliceStride + laneId()] += own[b];
  }

private:
  LLCUDA_DEVICE int granule(int i) const { return slice + i * kSlices; }
  LLCUDA_DEVICE void multiply(int at, const Unit& unit, float (&own)[kM]) const {
    LLCUDA_UNROLL
    for (int b = 0; b < kM; ++b) own[b] = Traits::dot(unit, Traits::loadInput({low, nullptr, nullptr}, b, at), own[b]);
  }
};

/// Of a launch that adds none.
template <int kM, int kSlices>
struct LowRankTerm<0, kM, kSlices> {
  LLCUDA_DEVICE LowRankTerm(const LowRank&, int, int, int, int) {}
  LLCUDA_DEVICE void addTo(float*) const {}
};

} // namespace llcuda
