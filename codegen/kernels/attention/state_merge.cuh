// SPDX-License-Identifier: Apache-2.0
// How softmax states over parts of the keys become one: those of the lanes of a block, and those of the blocks that
// share a context.
#pragma once

#include "codegen/kernels/attention/attention_shape.cuh"
#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

/// Merges softmax states, of the parts of a block or of the splits of a context, that lie in memory: for each of
/// `parts` the weighted sums [kGroupSize], and {maximum, sum of weights} for each of its heads.
template <typename Shape, typename Variant>
struct StateMerge {
  Variant variant;
  int firstHead;  ///< of the row's query heads, the first of the group
  float2* stats;  ///< [parts][kGroup], shared
  float* weights; ///< [parts][kGroup], shared
  float2* totals; ///< [kGroup], shared

  /// Fills weights and totals from stats: a warp for each head. All threads call; what they wrote to stats needs a
  /// barrier before.
  LLCUDA_DEVICE void weigh(int parts) const {
    for (int g = warpId(); g < Shape::kGroup; g += kDecodeThreads / kWarpSize) {
      float highest = kLowestScore, sum = 0.f;
      for (int p = laneId(); p < parts; p += kWarpSize) highest = maxOf(highest, stats[p * Shape::kGroup + g].x);
      highest = warpMax(highest);
      for (int p = laneId(); p < parts; p += kWarpSize) {
        const float2 state = stats[p * Shape::kGroup + g];
        const float weight = exp2Fast(state.x - highest);
        weights[p * Shape::kGroup + g] = weight;
        sum = fusedMultiplyAdd(weight, state.y, sum);
      }
      sum = warpSum(sum);
      if (laneId() == 0)
        totals[g] = make_float2(highest, sum);
    }
    syncThreads();
  }

  /// Four merged elements at `element` of the group, before the division by the total; `load(p)` gives those of part p,
  /// kBatch of them in flight.
  template <int kBatch, typename Load>
  LLCUDA_DEVICE float4 value(int parts, int element, Load load) const {
    const int g = element / Shape::kHeadSize;
    float4 sum = make_float4(0.f, 0.f, 0.f, 0.f);
    LLCUDA_NO_UNROLL
    for (int first = 0; first < parts; first += kBatch) {
      float4 v[kBatch];
      LLCUDA_UNROLL
      for (int i = 0; i < kBatch; ++i) v[i] = load(minOf(first + i, parts - 1));
      LLCUDA_UNROLL
      for (int i = 0; i < kBatch; ++i) {
        const float weight = first + i < parts ? weights[(first + i) * Shape::kGroup + g] : 0.f;
        sum.x = fusedMultiplyAdd(weight, v[i].x, sum.x);
        sum.y = fusedMultiplyAdd(weight, v[i].y, sum.y);
        sum.z = fusedMultiplyAdd(weight, v[i].z, sum.z);
        sum.w = fusedMultiplyAdd(weight, v[i].w, sum.w);
      }
    }
    return sum;
  }

  /// Only once all parts of a row are merged: what the denominator has besides weights belongs to it once.
  LLCUDA_DEVICE float4 divided(float4 v, int element) const {
    const int g = element / Shape::kHeadSize;
    const float inverse = reciprocalFast(variant.denominator(totals[g].y, totals[g].x, firstHead + g));
    return make_float4(v.x * inverse, v.y * inverse, v.z * inverse, v.w * inverse);
  }
};

/// Calls `body(element, valid)` for four elements of each lane until the kGroupSize of a kv head are done; lanes
/// without elements take part with valid false and element 0.
template <typename Shape, typename Body>
LLCUDA_DEVICE void forEachFour(Body body) {
  for (int base = 0; base < Shape::kGroupSize; base += kDecodeThreads * 4) {
    const int element = base + static_cast<int>(threadIdx.x) * 4;
    const bool valid = element < Shape::kGroupSize;
    body(valid ? element : 0, valid);
  }
}

/// The splits of one row and kv head in device memory: for each the sums [kGroupSize], then {maximum, sum of weights}
/// of every head.
template <typename Shape>
struct SplitStates {
  static constexpr int kFloats = decodePartialFloats(Shape::kGroup, Shape::kHeadSize);
  float* first;

  LLCUDA_DEVICE float4* values(int split, int element) const {
    return reinterpret_cast<float4*>(first + split * kFloats + element);
  }
  LLCUDA_DEVICE float2* stats(int split) const {
    return reinterpret_cast<float2*>(first + split * kFloats + Shape::kGroupSize);
  }
};

/// The last block to arrive: merges what all splits have left. store(element, v, valid) stores four elements of the
/// group.
template <typename Shape, typename Variant, typename Store>
LLCUDA_DEVICE void mergeSplits(const StateMerge<Shape, Variant>& merge, const SplitStates<Shape>& states, int splits,
                               Store store) {
  for (int i = static_cast<int>(threadIdx.x); i < splits * Shape::kGroup; i += kDecodeThreads)
    merge.stats[i] = loadCoherent(states.stats(i / Shape::kGroup) + i % Shape::kGroup);
  syncThreads();
  merge.weigh(splits);
  forEachFour<Shape>([&](int element, bool valid) {
    const float4 sum = merge.template value<16>(splits, element,
                                                [&](int split) { return loadCoherent(states.values(split, element)); });
    store(element, merge.divided(sum, element), valid);
  });
}

} // namespace llcuda
