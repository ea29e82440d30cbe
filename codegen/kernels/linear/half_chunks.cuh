// SPDX-License-Identifier: Apache-2.0
// f32 rows times f16 weights by tensor cores, 16 rows and 32 inputs at a time: the chunks of which low-rank products
// are made, whose rows come as f32 rows
//
//   numerics   an element is rounded to f16 times a power of two that its row has in the chunk: 11 bits of what is
//              above 2^-29 of the largest of 32. Products and sums are f32
//   sm_75      mma m16n8k8. As in linear_prompt_f16.cuh lane 4g + q has inputs 4q ... 4q + 3 of 16, of rows g and g + 8
//              and of column g: it reads 16 bytes of each row and half a granule of the column
#pragma once

#include "codegen/kernels/block/half_row.cuh"
#include "codegen/kernels/block/quantize_row.cuh"
#include "codegen/kernels/linear/dense_rows.cuh"
#include "codegen/kernels/ptx/mma.cuh"

namespace llcuda {

constexpr int kChunkInputs = 32, kChunkBlocks = kChunkInputs / kHalfBlock;

/// The lane's elements of a chunk of rows.
struct ChunkRows {
  float4 of[2][kChunkBlocks]; ///< of rows g and g + 8
};

/// The two rows of a tile of 16 of which the lane has elements; what lies past the last row is the last.
template <int kColumns>
struct LaneRows {
  const float* of[2];

  LLCUDA_DEVICE LaneRows(const float* x, int rows, int tile) {
    LLCUDA_UNROLL
    for (int r = 0; r < 2; ++r)
      of[r] = x + minOf(tile * kHalfTile + laneId() / 4 + 8 * r, rows - 1) * kColumns + laneId() % 4 * 4;
  }
  LLCUDA_DEVICE ChunkRows load(int chunk) const {
    ChunkRows rows;
    LLCUDA_UNROLL
    for (int r = 0; r < 2; ++r) {
      LLCUDA_UNROLL
      for (int b = 0; b < kChunkBlocks; ++b) rows.of[r][b] = loadFour(of[r] + chunk * kChunkInputs + b * kHalfBlock);
    }
    return rows;
  }
};

/// The rows as tensor cores take them. All lanes call.
struct HalfChunk {
  static constexpr int kSteps = 2 * kChunkBlocks; ///< products of 8 inputs
  uint32_t words[kSteps][1][2];
  float down[2]; ///< what products of rows g and g + 8 are multiplied with

  explicit LLCUDA_DEVICE HalfChunk(const ChunkRows& rows) {
    float peak[2];
    LLCUDA_UNROLL
    for (int r = 0; r < 2; ++r) peak[r] = maxOf(peakOf(rows.of[r][0]), peakOf(rows.of[r][1]));
    groupMax<4>(peak);
    LLCUDA_UNROLL
    for (int r = 0; r < 2; ++r) {
      const HalfScale scale = halfScaleFor(peak[r]);
      down[r] = scale.down;
      LLCUDA_UNROLL
      for (int b = 0; b < kChunkBlocks; ++b) {
        const float4& v = rows.of[r][b];
        words[2 * b][0][r] = wordOfHalves(v.x * scale.up, v.y * scale.up);
        words[2 * b + 1][0][r] = wordOfHalves(v.z * scale.up, v.w * scale.up);
      }
    }
  }
};

/// The lane's elements of a chunk of kAcross tiles of 8 columns.
template <int kAcross>
struct ChunkColumns {
  uint2 of[kAcross][kChunkBlocks];

  LLCUDA_DEVICE uint32_t word(int n, int step) const {
    const uint2& both = of[n][step / 2];
    return step % 2 == 0 ? both.x : both.y;
  }
};

/// Adds the products of a chunk: to(n, i) is element i of the lane's, as mmaF16M16N8K8 has them, of column tile n. All
/// lanes call.
template <int kAcross, typename To>
LLCUDA_DEVICE void addChunk(const HalfChunk& rows, const ChunkColumns<kAcross>& columns, To to) {
  float products[1][kAcross][4];
  LLCUDA_UNROLL
  for (int step = 0; step < HalfChunk::kSteps; ++step) {
    uint32_t words[kAcross];
    LLCUDA_UNROLL
    for (int n = 0; n < kAcross; ++n) words[n] = columns.word(n, step);
    if (step == 0)
      mmaF16Tile(products, 0.f, rows.words[step], words);
    else
      mmaF16Tile(products, rows.words[step], words);
  }
  LLCUDA_UNROLL
  for (int n = 0; n < kAcross; ++n) {
    LLCUDA_UNROLL
    for (int i = 0; i < 4; ++i) {
      float& sum = to(n, i);
      sum = fusedMultiplyAdd(products[0][n][i], rows.down[i / 2], sum);
    }
  }
}

} // namespace llcuda
