// SPDX-License-Identifier: Apache-2.0
// y[r][n] = sum over k of x[r][k] * weight[n][k] (+ bias[n]) (+ residual[r][n]) of f32 rows and an f16 weight
//
//   launch     grid (ceil(kRows / Tile::kRows), ceil(kOutputs / Tile::kColumns)), block Tile::kThreads; numbers from
//              codegen/spec/linear_prompt_spec.cpp
//   weight     f16 [kOutputs][kInputs], 16-byte aligned
//   x          f32 [kRows][kInputs], 16-byte aligned
//   positions  [kRows]; a tile of rows that are all -1 is left out: y keeps what it held
//   output     y f32 [kRows][kOutputs], 8-byte aligned
//   numerics   x is rounded to f16 (up to 65504); products and sums are f32
//   sm_75      mma m16n8k8 with two stages of 32 inputs in shared memory; the next one is on its way in registers
//              meanwhile. A row is 16 bytes longer than its inputs, so that ldmatrix has no bank conflicts
#pragma once

#include "codegen/kernels/linear/prompt_tile.cuh"
#include "codegen/kernels/ptx/half.cuh"

namespace llcuda {

template <typename Tile>
struct HalfStage {
  static constexpr int kInputs = 32;
  static constexpr int kPitch = kInputs + 8;
  Half x[Tile::kRows * kPitch];
  Half weight[Tile::kColumns * kPitch];
};

/// What a thread carries of a stage from device memory to shared memory.
template <typename Tile>
struct HalfCargo {
  static constexpr int kXVectors = Tile::kRows * 8 / Tile::kThreads;
  static constexpr int kWeightVectors = Tile::kColumns * 4 / Tile::kThreads;
  static_assert(Tile::kRows * 8 % Tile::kThreads == 0 && Tile::kColumns * 4 % Tile::kThreads == 0, "whole vectors");
  uint2 x[kXVectors];
  uint4 weight[kWeightVectors];
};

/// What lies past the last row or column is zeros.
template <int kRows, int kInputs, int kOutputs, typename Tile>
LLCUDA_DEVICE void fetchHalves(const Half* weight, const float* x, int firstInput, HalfCargo<Tile>& cargo) {
  LLCUDA_UNROLL
  for (int i = 0; i < HalfCargo<Tile>::kXVectors; ++i) {
    const int index = i * Tile::kThreads + static_cast<int>(threadIdx.x);
    const int row = Tile::firstRow() + index / 8;
    float4 v = make_float4(0.f, 0.f, 0.f, 0.f);
    if (row < kRows)
      v = loadReadOnly(reinterpret_cast<const float4*>(x + static_cast<long long>(row) * kInputs + firstInput) +
                       index % 8);
    cargo.x[i] = make_uint2(wordOfHalves(v.x, v.y), wordOfHalves(v.z, v.w));
  }
  LLCUDA_UNROLL
  for (int i = 0; i < HalfCargo<Tile>::kWeightVectors; ++i) {
    const int index = i * Tile::kThreads + static_cast<int>(threadIdx.x);
    const int column = Tile::firstColumn() + index / 4;
    cargo.weight[i] = make_uint4(0, 0, 0, 0);
    if (column < kOutputs)
      cargo.weight[i] = loadReadOnly(
          reinterpret_cast<const uint4*>(weight + static_cast<long long>(column) * kInputs + firstInput) + index % 4);
  }
}

template <typename Tile>
LLCUDA_DEVICE void stowHalves(const HalfCargo<Tile>& cargo, HalfStage<Tile>& stage) {
  LLCUDA_UNROLL
  for (int i = 0; i < HalfCargo<Tile>::kXVectors; ++i) {
    const int index = i * Tile::kThreads + static_cast<int>(threadIdx.x);
    *reinterpret_cast<uint2*>(stage.x + index / 8 * HalfStage<Tile>::kPitch + index % 8 * 4) = cargo.x[i];
  }
  LLCUDA_UNROLL
  for (int i = 0; i < HalfCargo<Tile>::kWeightVectors; ++i) {
    const int index = i * Tile::kThreads + static_cast<int>(threadIdx.x);
    *reinterpret_cast<uint4*>(stage.weight + index / 4 * HalfStage<Tile>::kPitch + index % 4 * 8) = cargo.weight[i];
  }
}

/// Adds 8 inputs to the warp's sums: sums[m][n] are rows lane / 4 and lane / 4 + 8 of tile m.
template <typename Tile, int kDown, int kAcross>
LLCUDA_DEVICE void multiplyHalves(const HalfStage<Tile>& stage, int input, float (&sums)[kDown][kAcross][4]) {
  uint32_t x[kDown][2], weight[kAcross];
  LLCUDA_UNROLL
  for (int m = 0; m < kDown; ++m)
    ldmatrixX2(x[m], stage.x + (Tile::warpRow() + m * 16 + laneId() % 16) * HalfStage<Tile>::kPitch + input);
  LLCUDA_UNROLL
  for (int n = 0; n < kAcross; n += 4) {
    uint32_t four[4];
    ldmatrixX4(four, stage.weight + (Tile::warpColumn() + n * 8 + laneId()) * HalfStage<Tile>::kPitch + input);
    LLCUDA_UNROLL
    for (int i = 0; i < 4; ++i) weight[n + i] = four[i];
  }
  mmaF16Tile(sums, x, weight);
}

template <int kRows, int kInputs, int kOutputs, typename Tile>
LLCUDA_DEVICE void linearPromptF16(const Half* weight, const float* x, const int* positions, PromptOutput output) {
  using Stage = HalfStage<Tile>;
  static_assert(kInputs % Stage::kInputs == 0, "whole stages");
  constexpr int kDown = Tile::kWarpRows / 16, kAcross = Tile::kWarpColumns / 8;
  constexpr int kSteps = kInputs / Stage::kInputs;
  LLCUDA_SHARED(Stage, stages, 2);
  if (!anyRow<Tile, kRows>(positions))
    return;
  float sums[kDown][kAcross][4] = {};
  HalfCargo<Tile> cargo;
  fetchHalves<kRows, kInputs, kOutputs>(weight, x, 0, cargo);
  stowHalves(cargo, stages[0]);
  syncThreads();
  LLCUDA_NO_UNROLL
  for (int step = 0; step < kSteps; ++step) {
    if (step + 1 < kSteps)
      fetchHalves<kRows, kInputs, kOutputs>(weight, x, (step + 1) * Stage::kInputs, cargo);
    LLCUDA_UNROLL
    for (int input = 0; input < Stage::kInputs; input += 8) multiplyHalves(stages[step % 2], input, sums);
    if (step + 1 < kSteps)
      stowHalves(cargo, stages[(step + 1) % 2]);
    syncThreads();
  }
  LLCUDA_UNROLL
  for (int i = 0; i < kDown * 2; ++i) {
    const int row = Tile::firstRow() + Tile::warpRow() + i * 8 + laneId() / 4;
    if (row < kRows) {
      LLCUDA_UNROLL
      for (int n = 0; n < kAcross; ++n)
        output.template store<kOutputs>(row, Tile::firstColumn() + Tile::warpColumn() + n * 8 + laneId() % 4 * 2,
                                        sums[i / 2][n][i % 2 * 2], sums[i / 2][n][i % 2 * 2 + 1]);
    }
  }
}

} // namespace llcuda
