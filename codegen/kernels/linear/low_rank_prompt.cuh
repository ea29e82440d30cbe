// SPDX-License-Identifier: Apache-2.0
// low[r][i] = sum over k of x[r][k] * a[i][k] for many rows, by tensor cores: the inner half of an adapter's low-rank
// product
//
//   launch     grid (ceil(m / 16), rank / 32), block (kThreads); numbers from codegen/spec/low_rank_spec.cpp
//   a          blob of f16_rows, rank x k, 256-byte aligned
//   x          [m][k] f32, 16-byte aligned
//   positions  [m]; a tile of 16 rows that are all -1 is left out: low keeps what it held
//   low        [m][rank] f32
//   numerics   half_chunks.cuh; a row's bits are the same for any number of rows
//   sm_75      a has few rows, so there is little to share and the inputs are the length of it: all warps of a block
//              make one tile of 16 x 32, each from a share of the inputs, and a chunk is on its way while one is
//              multiplied
#pragma once

#include "codegen/kernels/linear/half_chunks.cuh"

namespace llcuda {

struct LowRankShape {
  int m, rank, k;
};

constexpr int kLowRankColumns = 32; ///< rows of a, columns of low, that a block makes

template <LowRankShape kShape, int kThreads>
LLCUDA_DEVICE void lowRankPrompt(const uint8_t* a, const float* x, const int* positions, float* low) {
  using Traits = WeightTraits<WeightLayout::kF16Rows, kShape.k>;
  constexpr int kWarps = kThreads / kWarpSize, kChunks = kShape.k / kChunkInputs, kAcross = kLowRankColumns / 8;
  constexpr int kPitch = kLowRankColumns + 8;
  static_assert(kWarps <= kChunks, "each warp has a chunk");
  LLCUDA_SHARED(float, partials, kWarps* kHalfTile* kPitch);
  const int tile = static_cast<int>(blockIdx.x), firstColumn = static_cast<int>(blockIdx.y) * kLowRankColumns;
  const int own = tile * kHalfTile + static_cast<int>(threadIdx.x);
  if (!syncThreadsOr(threadIdx.x < kHalfTile && own < kShape.m && loadReadOnly(positions + own) >= 0))
    return;
  const LaneRows<kShape.k> rows(x, kShape.m, tile);
  const WeightPlanes planes =
      Traits::halvesFrom(planesOf<WeightLayout::kF16Rows, kShape.k>(a, kShape.rank), firstColumn + laneId() / 4);
  const auto columnsOf = [&](int chunk) {
    ChunkColumns<kAcross> columns;
    LLCUDA_UNROLL
    for (int n = 0; n < kAcross; ++n) {
      LLCUDA_UNROLL
      for (int b = 0; b < kChunkBlocks; ++b)
        columns.of[n][b] = Traits::loadHalves(planes, 8 * n, chunk * kChunkBlocks + b);
    }
    return columns;
  };
  float sums[kAcross][4] = {};
  ChunkRows nextRows = rows.load(warpId());
  ChunkColumns<kAcross> nextColumns = columnsOf(warpId());
  LLCUDA_NO_UNROLL
  for (int chunk = warpId(); chunk < kChunks; chunk += kWarps) {
    const HalfChunk halves(nextRows);
    const ChunkColumns<kAcross> columns = nextColumns;
    const int next = minOf(chunk + kWarps, kChunks - 1);
    nextRows = rows.load(next);
    nextColumns = columnsOf(next);
    addChunk(halves, columns, [&](int n, int i) -> float& { return sums[n][i]; });
  }
  LLCUDA_UNROLL
  for (int n = 0; n < kAcross; ++n) {
    LLCUDA_UNROLL
    for (int r = 0; r < 2; ++r)
      *reinterpret_cast<float2*>(partials + (warpId() * kHalfTile + laneId() / 4 + 8 * r) * kPitch + 8 * n +
                                 laneId() % 4 * 2) = make_float2(sums[n][2 * r], sums[n][2 * r + 1]);
  }
  syncThreads();
  for (int place = static_cast<int>(threadIdx.x); place < kHalfTile * kLowRankColumns; place += kThreads) {
    const int inTile = place / kLowRankColumns, row = tile * kHalfTile + inTile, column = place % kLowRankColumns;
    float sum = partials[inTile * kPitch + column];
    LLCUDA_UNROLL
    for (int w = 1; w < kWarps; ++w) sum += partials[(w * kHalfTile + inTile) * kPitch + column];
    if (row < kShape.m)
      low[row * kShape.rank + firstColumn + column] = sum;
  }
}

} // namespace llcuda
