// SPDX-License-Identifier: Apache-2.0
// The heads of queries and keys normed and rotated as head_rows; keys and values written into their pages
//
//   launch      grid (rows, ceil((heads + 2 kv heads) / HeadTile::kHeadsPerBlock)), block kHeadThreads:
//               codegen/spec/rope_spec.cpp
//   q           [rows][heads][head size] f32;  k, v [rows][kv heads][head size] f32; 16-byte aligned; q, qScale and
//               qTurned are not read without heads
//   qScale, kScale   [head size] f32, 16-byte aligned; not read without Turn::kNorm
//   ropeTable   [positions][Turn::kDimensions / 2] {cos, sin}; not read when kDimensions is 0
//   positions   [rows]; -1: the row of qTurned becomes zeros, and no page is written; a page of -1 is not written either
//   table       [slots][table pages]: page of 64 positions each
//   qTurned     [rows][heads][head size] f32 (decode attention) or f16 (prompt attention); not q
//   kPages, vPages   pages of AttentionShape
//   numerics    f32, one rounding to f16 at the end
#pragma once

#include "codegen/kernels/attention/attention_shape.cuh"
#include "codegen/kernels/rope/head_rows.cuh"

namespace llcuda {

template <typename Shape, typename Turn, typename Query>
LLCUDA_DEVICE void ropeCache(const float* q, const float* k, const float* v, const float* qScale, const float* kScale,
                             const float2* ropeTable, const int* positions, const int* slots, const int* table,
                             Query* qTurned, Half* kPages, Half* vPages, float eps) {
  static_assert(Turn::kDimensions <= Shape::kHeadSize, "a head turns at most as a whole");
  using Tile = HeadTile<Shape::kHeadSize>;
  constexpr int kSize = Shape::kHeadSize;
  // Groups work on the heads of q, then of k, then of v.
  const int64_t row = blockIdx.x;
  const int group = Tile::group(), kvGroup = group - Shape::kHeads;
  const bool isQuery = group < Shape::kHeads, isKey = !isQuery && kvGroup < Shape::kKvHeads;
  const int kvHead = kvGroup % Shape::kKvHeads;
  const int position = positions[row];
  const float* head =
      isQuery ? q + (row * Shape::kHeads + group) * kSize : (isKey ? k : v) + (row * Shape::kKvHeads + kvHead) * kSize;
  float4 x[Tile::kPasses];
  loadHead<Turn, Tile>(head, isQuery ? qScale : kScale, anglesOf<Turn>(ropeTable, position), eps,
                       /*plain=*/!isQuery && !isKey, x);
  if (isQuery) {
    LLCUDA_UNROLL
    for (int p = 0; p < Tile::kPasses; ++p) x[p] = position < 0 ? make_float4(0.f, 0.f, 0.f, 0.f) : x[p];
    storeHead<Tile>(qTurned + (row * Shape::kHeads + group) * kSize, x);
    return;
  }
  if (position < 0 || kvGroup >= 2 * Shape::kKvHeads)
    return;
  const int page = table[static_cast<int64_t>(slots[row]) * Shape::kTablePages + position / kPageTokens];
  if (page < 0)
    return;
  const int64_t to = Shape::pageStart(page, kvHead) + position % kPageTokens * kSize;
  storeHead<Tile>((isKey ? kPages : vPages) + to, x);
}

} // namespace llcuda
