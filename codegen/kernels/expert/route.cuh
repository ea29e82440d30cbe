// SPDX-License-Identifier: Apache-2.0
// The experts of a row: those with the highest logits, the lowest index first on ties; and their weights, the softmax
// over all experts at them, or over those chosen
//
//   launch    grid (rows), block (32); codegen/spec/expert_spec.cpp
//   logits    [rows][kShape.experts] f32; one that is no number counts as lower than any other
//   experts   [rows][kShape.choices], different ones within the row whatever its logits are
//   weights   [rows][kShape.choices] f32; numbers where the logits are
//   numerics  f32 sums; weights within 2^-19 relative of codegen/reference/route.h
#pragma once

#include "codegen/kernels/ptx/load.cuh"
#include "codegen/kernels/ptx/math.cuh"

namespace llcuda {

struct RouteShape {
  int experts, choices;
  bool normalized; ///< the weights of a row add up to 1
};

/// In the order of the numbers; zeros of both signs are equal, and what is no number comes first.
LLCUDA_DEVICE int orderedKey(float x) {
  const int bits = bitCast<int>(x + 0.f);
  return x == x ? bits ^ (bits >> 31 & 0x7fffffff) : -0x7fffffff;
}

template <RouteShape kShape>
LLCUDA_DEVICE void route(const float* logits, int* experts, float* weights) {
  constexpr int kMine = ceilDivide(kShape.experts, kWarpSize); ///< experts of a lane: lane, lane + 32, ...
  constexpr int kTaken = -0x7fffffff - 1;
  const int row = blockIdx.x;
  const float* x = logits + static_cast<int64_t>(row) * kShape.experts;
  float values[kMine];
  int keys[kMine];
  LLCUDA_UNROLL
  for (int i = 0; i < kMine; ++i) {
    const int expert = i * kWarpSize + laneId();
    values[i] = expert < kShape.experts ? x[expert] : 0.f;
    keys[i] = expert < kShape.experts ? orderedKey(values[i]) : kTaken;
  }
  float highest = 0.f, chosenSum = 0.f;
  LLCUDA_NO_UNROLL
  for (int j = 0; j < kShape.choices; ++j) {
    int key = keys[0], at = 0; // the lane's highest, the first of equal ones
    float value = values[0];
    LLCUDA_UNROLL
    for (int i = 1; i < kMine; ++i)
      if (keys[i] > key)
        key = keys[i], at = i, value = values[i];
    const int best = warpMax(key), expert = at * kWarpSize + laneId();
    const int chosen = -warpMax(key == best ? -expert : -0x7fffffff);
    value = shuffle(value, chosen % kWarpSize);
    LLCUDA_UNROLL
    for (int i = 0; i < kMine; ++i)
      if (i * kWarpSize + laneId() == chosen)
        keys[i] = kTaken;
    if (j == 0)
      highest = value;
    const float p = expFast(value - highest);
    chosenSum += p;
    if (laneId() == j % kWarpSize) { // which divides it below
      experts[row * kShape.choices + j] = chosen;
      weights[row * kShape.choices + j] = p;
    }
  }
  float sum = chosenSum;
  if (!kShape.normalized) {
    sum = 0.f;
    LLCUDA_UNROLL
    for (int i = 0; i < kMine; ++i)
      if (i * kWarpSize + laneId() < kShape.experts)
        sum += expFast(values[i] - highest);
    sum = warpSum(sum);
  }
  for (int j = laneId(); j < kShape.choices; j += kWarpSize) weights[row * kShape.choices + j] *= reciprocalFast(sum);
}

} // namespace llcuda
