// SPDX-License-Identifier: Apache-2.0
// The gated delta rule, token after token: codegen/reference/delta_rule.h has the formula
//
//   launch     grid (value heads * head size / kDeltaColumns, blocks of kShape.rowBlock rows), block kDeltaThreads:
//              codegen/spec/state_spec.cpp. A block makes kDeltaColumns values of a head, of the run of rows that
//              begins with its block of rows; where a run goes on there it has nothing to do.
//   x          [rows][queries of the key heads, their keys, values of the value heads] f32, 16-byte aligned
//   decay, beta  [rows][value heads] f32;  rate, dt  [value heads] f32
//   state      [slots][2][value heads][value][key] f32: the state after n tokens is the copy n % 2, so that the last
//              step can be computed again. A slot's is zero at position 0.
//   y          [rows][value heads][head size] f32; not x; zeros where a row is padding
//   numerics   f32, multiply-adds of one rounding in one order: bits do not turn on the phase
//   sm_75      the state lies in registers, kDeltaLanes lanes a value; kSteps tokens are normed at a time, a warp each
#pragma once

#include "codegen/kernels/ptx/math.cuh"
#include "codegen/kernels/state/delta_tiles.h"
#include "codegen/kernels/state/row_run.cuh"

namespace llcuda {

struct DeltaRuleShape {
  int keyHeads, valueHeads, headSize;
  int rows, rowBlock;
  bool grouped; ///< value heads of a key head stand together; else they are keyHeads apart
  bool logRate; ///< the rate is -exp of what is stored
};

/// log(1 + e^x)
LLCUDA_DEVICE float softplusFast(float x) {
  const float e = expFast(minOf(x, 30.f));
  if (x > 20.f)
    return x;
  return e < 1e-3f ? e * fusedMultiplyAdd(e, fusedMultiplyAdd(e, 0.33333334f, -0.5f), 1.f) : logFast(1.f + e);
}

/// What a step needs of its token: key and query normed, their product, how much of the state stays, and how much of
/// the correction counts.
template <int kHeadSize>
struct alignas(16) DeltaToken {
  float key[kHeadSize], query[kHeadSize], value[kDeltaColumns];
  float keyQuery, kept, counted, unused;
};

/// A warp's token.
template <DeltaRuleShape kShape>
LLCUDA_DEVICE void loadDeltaToken(const float* x, const float* decay, const float* beta, float rate, float dt, int row,
                                  int head, int column, DeltaToken<kShape.headSize>& token) {
  constexpr int kSize = kShape.headSize, kEach = kSize / kWarpSize;
  constexpr int kRow = (2 * kShape.keyHeads + kShape.valueHeads) * kSize;
  const int group = kShape.grouped ? head / (kShape.valueHeads / kShape.keyHeads) : head % kShape.keyHeads;
  const float* from = x + static_cast<int64_t>(row) * kRow + laneId();
  const float* value = from + (2 * kShape.keyHeads + head) * kSize + column;
  float query[kEach], key[kEach], sums[3] = {0.f, 0.f, 0.f};
  LLCUDA_UNROLL
  for (int i = 0; i < kEach; ++i) {
    query[i] = from[group * kSize + i * kWarpSize];
    key[i] = from[(kShape.keyHeads + group) * kSize + i * kWarpSize];
    sums[0] = fusedMultiplyAdd(query[i], query[i], sums[0]);
    sums[1] = fusedMultiplyAdd(key[i], key[i], sums[1]);
    sums[2] = fusedMultiplyAdd(query[i], key[i], sums[2]);
  }
  warpSum(sums);
  const float queryScale = rsqrtFast(sums[0] + 1e-6f) * rsqrtFast(static_cast<float>(kSize));
  const float keyScale = rsqrtFast(sums[1] + 1e-6f);
  LLCUDA_UNROLL
  for (int i = 0; i < kEach; ++i) {
    token.query[i * kWarpSize + laneId()] = query[i] * queryScale;
    token.key[i * kWarpSize + laneId()] = key[i] * keyScale;
  }
  LLCUDA_UNROLL
  for (int i = 0; i < kDeltaColumns; i += kWarpSize) token.value[i + laneId()] = value[i];
  if (laneId() != 0)
    return;
  const int gate = row * kShape.valueHeads + head;
  token.keyQuery = sums[2] * queryScale * keyScale;
  token.kept = expFast(softplusFast(decay[gate] + dt) * rate);
  token.counted = sigmoidFast(beta[gate]);
}

template <DeltaRuleShape kShape>
LLCUDA_DEVICE void deltaRule(const float* x, const float* decay, const float* beta, const float* rates,
                             const float* dts, const int* positions, const int* slots, float* state, float* y) {
  constexpr int kSize = kShape.headSize, kBlocks = kSize / kDeltaColumns, kFours = kSize / 4 / kDeltaLanes;
  constexpr int kSteps = kShape.rows < kDeltaWarps ? kShape.rows : kDeltaWarps;
  constexpr int kColumns = kShape.valueHeads * kSize;
  static_assert(kSize % kDeltaColumns == 0 && kDeltaColumns % kWarpSize == 0 && kSize % (4 * kDeltaLanes) == 0,
                "whole warps of values, whole float4 of keys a lane");
  LLCUDA_SHARED(DeltaToken<kSize>, tokens, kSteps);
  const int head = static_cast<int>(blockIdx.x) / kBlocks;
  const int column = static_cast<int>(blockIdx.x) % kBlocks * kDeltaColumns;
  const int mine = static_cast<int>(threadIdx.x) / kDeltaLanes, lane = static_cast<int>(threadIdx.x) % kDeltaLanes;
  const int first = static_cast<int>(blockIdx.y) * kShape.rowBlock;
  const int output = head * kSize + column + mine;
  const RowRuns runs = {positions, slots, kShape.rows};
  for (int row = first; row < minOf(first + kShape.rowBlock, kShape.rows); ++row)
    if (lane == 0 && runs.position(row) < 0)
      y[static_cast<int64_t>(row) * kColumns + output] = 0.f;
  const int position = runs.position(first);
  if (position < 0 || !runs.begins(first))
    return;

  const int count = kShape.rows == 1 ? 1 : runs.length(first); // of one row it is a constant, and nothing loops
  constexpr int64_t kCopy = static_cast<int64_t>(kShape.valueHeads) * kSize * kSize;
  float* const place = state + static_cast<int64_t>(runs.slot(first)) * 2 * kCopy;
  const int64_t from = static_cast<int64_t>(output) * kSize;
  const float4* before = reinterpret_cast<const float4*>(place + position % 2 * kCopy + from) + lane;
  float4 s[kFours];
  LLCUDA_UNROLL
  for (int i = 0; i < kFours; ++i) s[i] = before[i * kDeltaLanes];
  const float stored = rates[head], rate = kShape.logRate ? -expFast(stored) : stored, dt = dts[head];

  LLCUDA_NO_UNROLL
  for (int base = 0; base < count; base += kSteps) {
    syncThreads(); // the steps before have read the tokens
    const int steps = kShape.rows == 1 ? 1 : minOf(kSteps, count - base);
    if (warpId() < steps)
      loadDeltaToken<kShape>(x, decay, beta, rate, dt, first + base + warpId(), head, column, tokens[warpId()]);
    syncThreads();
    LLCUDA_NO_UNROLL
    for (int step = 0; step < steps; ++step) {
      const DeltaToken<kSize>& token = tokens[step];
      const float4* keys = reinterpret_cast<const float4*>(token.key) + lane;
      const float4* queries = reinterpret_cast<const float4*>(token.query) + lane;
      const float kept = token.kept;
      float sums[2] = {0.f, 0.f}; // of keys and queries times what stays of the state
      LLCUDA_UNROLL
      for (int i = 0; i < kFours; ++i) {
        const float4 k = keys[i * kDeltaLanes], q = queries[i * kDeltaLanes];
        s[i] = make_float4(s[i].x * kept, s[i].y * kept, s[i].z * kept, s[i].w * kept);
        sums[0] = fusedMultiplyAdd(k.x, s[i].x, sums[0]), sums[1] = fusedMultiplyAdd(q.x, s[i].x, sums[1]);
        sums[0] = fusedMultiplyAdd(k.y, s[i].y, sums[0]), sums[1] = fusedMultiplyAdd(q.y, s[i].y, sums[1]);
        sums[0] = fusedMultiplyAdd(k.z, s[i].z, sums[0]), sums[1] = fusedMultiplyAdd(q.z, s[i].z, sums[1]);
        sums[0] = fusedMultiplyAdd(k.w, s[i].w, sums[0]), sums[1] = fusedMultiplyAdd(q.w, s[i].w, sums[1]);
      }
      groupSum<kDeltaLanes>(sums);
      const float correction = token.counted * (token.value[mine] - sums[0]);
      LLCUDA_UNROLL
      for (int i = 0; i < kFours; ++i) {
        const float4 k = keys[i * kDeltaLanes];
        s[i] = make_float4(fusedMultiplyAdd(k.x, correction, s[i].x), fusedMultiplyAdd(k.y, correction, s[i].y),
                           fusedMultiplyAdd(k.z, correction, s[i].z), fusedMultiplyAdd(k.w, correction, s[i].w));
      }
      if (lane == 0)
        y[static_cast<int64_t>(first + base + step) * kColumns + output] =
            fusedMultiplyAdd(token.keyQuery, correction, sums[1]);
    }
  }
  float4* const after = reinterpret_cast<float4*>(place + (position + count) % 2 * kCopy + from) + lane;
  LLCUDA_UNROLL
  for (int i = 0; i < kFours; ++i) after[i * kDeltaLanes] = s[i];
}

} // namespace llcuda
