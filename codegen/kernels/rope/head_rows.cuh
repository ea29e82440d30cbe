// SPDX-License-Identifier: Apache-2.0
// Heads of rows: each is normed by itself, x / sqrt(mean(x^2) + eps) * scale, and rotated by the position of its row;
// either may be left out
//
//   launch     grid (rows, ceil(heads / HeadTile::kHeadsPerBlock)), block kHeadThreads: head_tiles.h
//   x          [rows][heads][head size] f32, 16-byte aligned
//   scale      [head size] f32, 16-byte aligned; not read without kTurn.norm
//   ropeTable  [positions][kTurn.dimensions / 2] {cos, sin}; neither it nor `positions` is read without dimensions
//   positions  [rows]; what a row of -1 becomes is not used
//   y          [rows][heads][head size] f32 or f16; not x
//   numerics   f32, one rounding at the end; NMSE against codegen/reference/{rms_norm,rope}.h below 1e-12 as f32
//   sm_75      a head stays in the registers of a group of lanes: no barrier
#pragma once

#include "codegen/formats/rope_pairs.h"
#include "codegen/kernels/norm/norm_rows.cuh"
#include "codegen/kernels/ptx/half.cuh"
#include "codegen/kernels/rope/head_tiles.h"

namespace llcuda {

/// What happens to a head.
struct HeadTurn {
  int dimensions; ///< that rotate, in whole pairs; 0: none
  RopePairs pairs = RopePairs::kAdjacent;
  bool norm = false;
};

struct HeadShape {
  int heads, headSize;
};

/// A group of kLanes lanes holds a head: elements 4 * four(p) ... + 3 are float4 p of the lane.
template <int kHeadSizeArg>
struct HeadTile {
  static_assert(kHeadSizeArg % 4 == 0 && kHeadSizeArg > 0, "whole float4s");
  static constexpr int kHeadSize = kHeadSizeArg, kFours = kHeadSize / 4;
  static constexpr int kLanes = headLanes(kHeadSize);
  static constexpr int kPasses = ceilDivide(kFours, kLanes);
  static constexpr int kHeadsPerBlock = headsPerBlock(kHeadSize);

  static LLCUDA_DEVICE int four(int p) { return p * kLanes + laneId() % kLanes; }
  /// Number of the group among those of the launch's column of blocks.
  static LLCUDA_DEVICE int group() { return blockIdx.y * kHeadsPerBlock + threadIdx.x / kLanes; }
};

/// Two neighbouring pairs, the first at `element` of a head, turned by the row's angles.
template <int kDimensions>
LLCUDA_DEVICE float4 turnedAdjacent(float4 x, const float2* angles, int element) {
  if (element < kDimensions) {
    const float2 turn = loadReadOnly(angles + element / 2);
    x = make_float4(x.x * turn.x - x.y * turn.y, x.x * turn.y + x.y * turn.x, x.z, x.w);
  }
  if (element + 2 < kDimensions) {
    const float2 turn = loadReadOnly(angles + element / 2 + 1);
    x = make_float4(x.x, x.y, x.z * turn.x - x.w * turn.y, x.z * turn.y + x.w * turn.x);
  }
  return x;
}

/// Element `element` of a head, of value x, turned by the row's angles; `at(i)` is the value of element i.
template <int kDimensions, typename At>
LLCUDA_DEVICE float turnedHalves(float x, const float2* angles, int element, At at) {
  constexpr int kHalf = kDimensions / 2;
  if (element >= kDimensions)
    return x;
  if (element < kHalf) {
    const float2 turn = loadReadOnly(angles + element);
    return x * turn.x - at(element + kHalf) * turn.y;
  }
  const float2 turn = loadReadOnly(angles + element - kHalf);
  return at(element - kHalf) * turn.y + x * turn.x;
}

/// The group's head as `kTurn` wants it, or where `plain` as it is, or with kPlainNorm only normed. All lanes of a warp
/// call; its groups may have different heads.
template <HeadTurn kTurn, typename Tile, bool kPlainNorm = false>
LLCUDA_DEVICE void loadHead(const float* head, const float* scale, const float2* angles, float eps, bool plain,
                            float4 (&x)[Tile::kPasses]) {
  float squares = 0.f;
  LLCUDA_UNROLL
  for (int p = 0; p < Tile::kPasses; ++p) {
    const int i = Tile::four(p);
    x[p] = make_float4(0.f, 0.f, 0.f, 0.f);
    if (i < Tile::kFours)
      x[p] = loadReadOnly(reinterpret_cast<const float4*>(head) + i);
    squares += sumOfSquares(x[p]);
  }
  float factor = 1.f;
  if (kTurn.norm)
    factor = rsqrtFast(groupSum<Tile::kLanes>(squares) * (1.f / Tile::kHeadSize) + eps);
  if (plain) {
    LLCUDA_UNROLL
    for (int p = 0; kPlainNorm && p < Tile::kPasses; ++p) {
      if (Tile::four(p) < Tile::kFours)
        x[p] = scaled(x[p], factor, loadReadOnly(reinterpret_cast<const float4*>(scale) + Tile::four(p)));
    }
    return;
  }
  const auto at = [&](int element) {
    const float value = loadReadOnly(head + element) * factor;
    return kTurn.norm ? value * loadReadOnly(scale + element) : value;
  };
  LLCUDA_UNROLL
  for (int p = 0; p < Tile::kPasses; ++p) {
    const int i = Tile::four(p), element = 4 * i;
    if (i >= Tile::kFours)
      continue;
    if (kTurn.norm)
      x[p] = scaled(x[p], factor, loadReadOnly(reinterpret_cast<const float4*>(scale) + i));
    if (kTurn.pairs == RopePairs::kAdjacent)
      x[p] = turnedAdjacent<kTurn.dimensions>(x[p], angles, element);
    else
      x[p] = make_float4(turnedHalves<kTurn.dimensions>(x[p].x, angles, element, at),
                         turnedHalves<kTurn.dimensions>(x[p].y, angles, element + 1, at),
                         turnedHalves<kTurn.dimensions>(x[p].z, angles, element + 2, at),
                         turnedHalves<kTurn.dimensions>(x[p].w, angles, element + 3, at));
  }
}

LLCUDA_DEVICE void storeFour(float* to, float4 x) {
  *reinterpret_cast<float4*>(to) = x;
}
LLCUDA_DEVICE void storeFour(Half* to, float4 x) {
  *reinterpret_cast<uint2*>(to) = make_uint2(wordOfHalves(x.x, x.y), wordOfHalves(x.z, x.w));
}

/// The group's head to `to`, where its first element goes.
template <typename Tile, typename Out>
LLCUDA_DEVICE void storeHead(Out* to, const float4 (&x)[Tile::kPasses]) {
  LLCUDA_UNROLL
  for (int p = 0; p < Tile::kPasses; ++p) {
    if (Tile::four(p) < Tile::kFours)
      storeFour(to + 4 * Tile::four(p), x[p]);
  }
}

/// Where the angles of a position begin; those of position 0 for a row without one.
template <HeadTurn kTurn>
LLCUDA_DEVICE const float2* anglesOf(const float2* ropeTable, int position) {
  return ropeTable + static_cast<int64_t>(maxOf(position, 0)) * (kTurn.dimensions / 2);
}

template <HeadShape kShape, HeadTurn kTurn, typename Out>
LLCUDA_DEVICE void headRows(const float* x, const float* scale, const float2* ropeTable, const int* positions, Out* y,
                            float eps) {
  static_assert(kTurn.dimensions % 2 == 0 && kTurn.dimensions <= kShape.headSize, "whole pairs of a head");
  using Tile = HeadTile<kShape.headSize>;
  const int row = blockIdx.x;
  const bool valid = Tile::group() < kShape.heads;
  const int64_t first = (static_cast<int64_t>(row) * kShape.heads + (valid ? Tile::group() : 0)) * kShape.headSize;
  const int position = kTurn.dimensions > 0 ? positions[row] : 0;
  float4 head[Tile::kPasses];
  loadHead<kTurn, Tile>(x + first, scale, anglesOf<kTurn>(ropeTable, position), eps, /*plain=*/false, head);
  if (valid)
    storeHead<Tile>(y + first, head);
}

} // namespace llcuda
