// SPDX-License-Identifier: Apache-2.0
// Low-rank products that a decode linear adds to those of its weights: low_rank_operand.cuh
//
//   numerics  f32. The warps of a block share the granules of a row of a, and of b as they do its slices; what they add
//             goes to the sums of their slice. The order depends on inputs, rank and cut alone: a row's bits are the
//             same for any number of rows
//   sm_75     a is small and has few rows: the launch's first blocks take four of them each, and all their warps share
//             the inputs. The others multiply their weights meanwhile, and wait when these are done. The first granules
//             of b are loaded before a linear's own weights
#pragma once

#include "codegen/kernels/block/first_blocks.cuh"
#include "codegen/kernels/linear/decode_parts.cuh"
#include "codegen/kernels/linear/low_rank_operand.cuh"

namespace llcuda {

constexpr int kLowRankRows = 4; ///< of a, that a block multiplies

/// low of rows kLowRankRows * block ... of a, for kM rows of x [kM][kK]. All threads call.
template <int kRank, int kM, int kK, int kThreads>
LLCUDA_DEVICE void multiplyInner(const uint8_t* a, const float* x, int block, float* low) {
  using Traits = WeightTraits<WeightLayout::kF16Rows, kK>;
  constexpr int kWarps = kThreads / kWarpSize, kLoad = kWarpSize / kLowRankRows;
  constexpr int kGranules = kK / Traits::kUnit, kTurns = ceilDivide(kGranules, kLoad * kWarps);
  // Rows of x at a time, and loads on their way: what the registers of a linear's loop hold.
  constexpr int kRows = kM < 4 ? kM : 4, kMost = kRows <= 2 ? 4 : 2;
  constexpr int kAtOnce = ceilDivide(kTurns, ceilDivide(kTurns, kMost));
  LLCUDA_SHARED(float, partials, kWarps* kM* kLowRankRows);
  const int firstRow = block * kLowRankRows, row = laneId() % kLowRankRows;
  const WeightPlanes planes = planesOf<WeightLayout::kF16Rows, kK>(a, kRank);
  LLCUDA_NO_UNROLL
  for (int firstOfX = 0; firstOfX < kM; firstOfX += kRows) {
    float sums[kRows] = {};
    LLCUDA_NO_UNROLL
    for (int first = 0; first < kTurns; first += kAtOnce) {
      typename Traits::Unit units[kAtOnce];
      const auto granule = [&](int i) { return ((first + i) * kWarps + warpId()) * kLoad + laneId() / kLowRankRows; };
      LLCUDA_UNROLL
      for (int i = 0; i < kAtOnce; ++i)
        units[i] = Traits::load(planes, firstRow + row, minOf(granule(i), kGranules - 1));
      LLCUDA_UNROLL
      for (int i = 0; i < kAtOnce; ++i) {
        if (kGranules % (kLoad * kWarps * kAtOnce) != 0 && granule(i) >= kGranules)
          continue;
        LLCUDA_UNROLL
        for (int b = 0; b < kRows; ++b) {
          const auto input = Traits::loadInput({x, nullptr, nullptr}, minOf(firstOfX + b, kM - 1), granule(i));
          sums[b] = Traits::dot(units[i], input, sums[b]);
        }
      }
    }
    LLCUDA_UNROLL
    for (int b = 0; b < kRows; ++b) {
      LLCUDA_UNROLL
      for (int mask = kWarpSize / 2; mask >= kLowRankRows; mask /= 2) sums[b] += shuffleXor(sums[b], mask);
      if (laneId() < kLowRankRows && (kM % kRows == 0 || firstOfX + b < kM))
        partials[(warpId() * kM + firstOfX + b) * kLowRankRows + row] = sums[b];
    }
  }
  syncThreads();
  if (const int place = static_cast<int>(threadIdx.x); place < kM * kLowRankRows) {
    float sum = partials[place];
    LLCUDA_UNROLL
    for (int w = 1; w < kWarps; ++w) sum += partials[w * kM * kLowRankRows + place];
    low[place / kLowRankRows * kRank + firstRow + place % kLowRankRows] = sum;
  }
}

/// What a launch of kThreads has to do with low-rank products of kRank inner ones.
template <int kRank, int kThreads>
struct LowRankBlocks {
  static constexpr int kMakers = kRank / kLowRankRows; ///< the launch's first blocks
  FirstBlocks blocks;

  explicit LLCUDA_DEVICE LowRankBlocks(const LowRank& of) : blocks{of.counts + 1, kMakers, gridDim.x - kMakers} {}
  /// Of the launch without the makers; negative in these.
  LLCUDA_DEVICE int block() const { return static_cast<int>(blockIdx.x) - kMakers; }
  LLCUDA_DEVICE uint32_t count() const { return blocks.waiters; }
  /// Whether the block is one that makes what the others wait for; then it is done.
  template <int kM, int kK>
  LLCUDA_DEVICE bool make(const LowRank& of, const InputRows& x) const {
    if (block() >= 0)
      return false;
    multiplyInner<kRank, kM, kK, kThreads>(of.a, x.x, static_cast<int>(blockIdx.x), of.low);
    blocks.announce();
    return true;
  }
  LLCUDA_DEVICE void await() const { blocks.await(); }
  LLCUDA_DEVICE void leave() const {
    if (threadIdx.x == 0)
      blocks.leave();
  }
};

/// Of a launch that has none.
template <int kThreads>
struct LowRankBlocks<0, kThreads> {
  explicit LLCUDA_DEVICE LowRankBlocks(const LowRank&) {}
  LLCUDA_DEVICE int block() const { return static_cast<int>(blockIdx.x); }
  LLCUDA_DEVICE uint32_t count() const { return gridDim.x; }
  template <int, int>
  LLCUDA_DEVICE bool make(const LowRank&, const InputRows&) const {
    return false;
  }
  LLCUDA_DEVICE void leave() const {}
};

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
  template <typename Blocks>
  LLCUDA_DEVICE void addTo(float* sums, const Blocks& blocks) const {
    if (weight == nullptr || slice >= kGranules)
      return; // the whole warp
    blocks.await();
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
    for (int b = 0; b < kM; ++b) {
      const auto* fours = reinterpret_cast<const float4*>(low + b * kRank + Traits::kUnit * at);
      own[b] = Traits::dot(unit, {loadCoherent(fours), loadCoherent(fours + 1)}, own[b]);
    }
  }
};

/// Of a launch that adds none.
template <int kM, int kSlices>
struct LowRankTerm<0, kM, kSlices> {
  LLCUDA_DEVICE LowRankTerm(const LowRank&, int, int, int, int) {}
  template <typename Blocks>
  LLCUDA_DEVICE void addTo(float*, const Blocks&) const {}
};

} // namespace llcuda
