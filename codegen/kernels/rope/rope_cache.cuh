// SPDX-License-Identifier: Apache-2.0
// The heads of queries and keys normed and rotated as head_rows; keys and values written into their pages
//
//   launch      grid (rows, ceil((heads + 2 kv heads) / HeadTile::kHeadsPerBlock)), block kHeadThreads: head_tiles.h
//   q           [rows][heads][head size] f32, or some columns of wider rows;  k, v [rows][kv heads][head size] f32;
//               16-byte aligned; q, qScale and qTurned are not read without heads
//   qScale, kScale, vScale   [head size] f32, 16-byte aligned; not read without kTurn.norm, the last without
//               kForm.valueNorm
//   ropeTable   [positions][kTurn.dimensions / 2] {cos, sin}; not read without dimensions
//   positions   [rows]; -1: the row of qTurned becomes zeros, and no page is written; a page of -1 is not written
//               either
//   table       [slots][table pages]: page of 64 positions each
//   qTurned     [rows][heads][head size] f32 (decode attention) or f16 (prompt attention); not q
//   kPages, vPages   pages of AttentionShape
//   numerics    f32, one rounding at the end, to f16 or to the type of the cache
#pragma once

#include "codegen/kernels/attention/attention_shape.cuh"
#include "codegen/kernels/block/row_view.cuh"
#include "codegen/kernels/rope/head_rows.cuh"

namespace llcuda {

/// What queries become: f16 for prompt attention, else f32 for decode attention. Where they lie, and whether values are
/// normed.
struct QueryForm {
  bool f16;
  RowView view = {};
  bool valueNorm = false;
};
template <bool kF16>
struct QueryElement {
  using Type = float;
};
template <>
struct QueryElement<true> {
  using Type = Half;
};

/// The group's head, and zeros after it to a whole vector, as token `token` of the rows of a page. All lanes of a warp
/// call; its groups may have different heads, and those with `valid` false store nothing.
template <typename Rows, typename Tile>
LLCUDA_DEVICE void storeToken(uint8_t* rows, int token, const float4 (&x)[Tile::kPasses], bool valid) {
  LLCUDA_UNROLL
  for (int p = 0; p < Tile::kPasses; ++p)
    Rows::store(rows, token, Tile::four(p), x[p], valid && Tile::four(p) < 2 * Rows::kVectors);
}

template <AttentionShape kShape, HeadTurn kTurn, QueryForm kForm>
LLCUDA_DEVICE void ropeCache(const float* q, const float* k, const float* v, const float* qScale, const float* kScale,
                             const float2* ropeTable, const int* positions, const int* slots, const int* table,
                             typename QueryElement<kForm.f16>::Type* qTurned, uint8_t* kPages, uint8_t* vPages,
                             float eps, const float* vScale = nullptr) {
  static_assert(kTurn.dimensions % 2 == 0 && kTurn.dimensions <= kShape.headSize, "whole pairs of a head");
  using Shape = AttentionTraits<kShape>;
  using Tile = HeadTile<Shape::kHeadSize>;
  constexpr int kSize = Shape::kHeadSize;
  // Groups work on the heads of q, then of k, then of v.
  const int64_t row = blockIdx.x;
  const int group = Tile::group(), kvGroup = group - Shape::kHeads;
  const bool isQuery = group < Shape::kHeads, isKey = !isQuery && kvGroup < Shape::kKvHeads;
  const int kvHead = isQuery ? 0 : kvGroup % Shape::kKvHeads;
  const int position = positions[row];
  const float* head = isQuery ? q + placeOf<kForm.view, Shape::kHeads * kSize>(blockIdx.x, group * kSize)
                              : (isKey ? k : v) + (row * Shape::kKvHeads + kvHead) * kSize;
  const float* scale = isQuery ? qScale : isKey || !kForm.valueNorm ? kScale : vScale;
  float4 x[Tile::kPasses];
  loadHead<kTurn, Tile, kForm.valueNorm>(head, scale, anglesOf<kTurn>(ropeTable, position), eps,
                                         /*plain=*/!isQuery && !isKey, x);
  if (isQuery) {
    LLCUDA_UNROLL
    for (int p = 0; p < Tile::kPasses; ++p) x[p] = position < 0 ? make_float4(0.f, 0.f, 0.f, 0.f) : x[p];
    storeHead<Tile>(qTurned + (row * Shape::kHeads + group) * kSize, x);
  }
  const bool isKept = position >= 0 && !isQuery && kvGroup < 2 * Shape::kKvHeads;
  const int page = isKept ? Shape::page(table, slots[row], position / kPageTokens) : -1;
  const int token = position % kPageTokens;
  storeToken<typename Shape::Keys, Tile>(
      kPages + Shape::template headStart<typename Shape::Keys>(maxOf(page, 0), kvHead), token, x, page >= 0 && isKey);
  storeToken<typename Shape::Values, Tile>(
      vPages + Shape::template headStart<typename Shape::Values>(maxOf(page, 0), kvHead), token, x,
      page >= 0 && !isKey);
}

} // namespace llcuda
