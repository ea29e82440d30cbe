// SPDX-License-Identifier: Apache-2.0
// Rotates the queries and keys of a prompt chunk and writes keys and values into their pages:
// (a, b) -> (a cos - b sin, a sin + b cos) for each pair (2i, 2i + 1) of the first kDimensions of a head
#pragma once

#include "codegen/kernels/attention/attention_shape.cuh"
#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

constexpr int kRopeThreads = 128;

/// Two neighbouring pairs, the first at `element` of a head, turned by the row's angles.
template <int kDimensions>
LLCUDA_DEVICE float4 rotated(float4 x, const float2* angles, int element) {
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

LLCUDA_DEVICE void storeHalves(Half* to, float4 x) {
  *reinterpret_cast<uint2*>(to) = make_uint2(wordOfHalves(x.x, x.y), wordOfHalves(x.z, x.w));
}

//   launch      grid (rows), block kRopeThreads; numbers from codegen/spec/rope_spec.cpp
//   q           [rows][heads][head size] f32;  k, v [rows][kv heads][head size] f32; 16-byte aligned
//   ropeTable   [positions][kDimensions / 2] {cos, sin}; not read when kDimensions is 0
//   positions   [rows]; -1: the row of qRotated becomes zeros, and no page is written
//   table       [slots][table pages]: page of 64 positions each
//   qRotated    [rows][heads][head size] f16
//   kPages, vPages   pages of AttentionShape
//   numerics    f32, one rounding to f16 at the end
template <typename Shape, int kDimensions>
LLCUDA_DEVICE void ropeCache(const float* q, const float* k, const float* v, const float2* ropeTable,
                             const int* positions, const int* slots, const int* table, Half* qRotated, Half* kPages,
                             Half* vPages) {
  static_assert(kDimensions % 2 == 0 && kDimensions <= Shape::kHeadSize, "whole pairs of a head");
  constexpr int kQueries = Shape::kHeads * Shape::kHeadSize, kKeys = Shape::kKvHeads * Shape::kHeadSize;
  const long long row = blockIdx.x;
  const int position = positions[row];
  const float2* const angles = ropeTable + static_cast<long long>(maxOf(position, 0)) * (kDimensions / 2);
  for (int e = static_cast<int>(threadIdx.x) * 4; e < kQueries; e += kRopeThreads * 4) {
    float4 x = make_float4(0.f, 0.f, 0.f, 0.f);
    if (position >= 0)
      x = rotated<kDimensions>(loadReadOnly(reinterpret_cast<const float4*>(q + row * kQueries + e)), angles,
                               e % Shape::kHeadSize);
    storeHalves(qRotated + row * kQueries + e, x);
  }
  if (position < 0)
    return;
  const int page = table[static_cast<long long>(slots[row]) * Shape::kTablePages + position / kPageTokens];
  for (int e = static_cast<int>(threadIdx.x) * 4; e < kKeys; e += kRopeThreads * 4) {
    const int element = e % Shape::kHeadSize;
    const long long to =
        Shape::pageStart(page, e / Shape::kHeadSize) + position % kPageTokens * Shape::kHeadSize + element;
    const float4 key = loadReadOnly(reinterpret_cast<const float4*>(k + row * kKeys + e));
    storeHalves(kPages + to, rotated<kDimensions>(key, angles, element));
    storeHalves(vPages + to, loadReadOnly(reinterpret_cast<const float4*>(v + row * kKeys + e)));
  }
}

} // namespace llcuda
