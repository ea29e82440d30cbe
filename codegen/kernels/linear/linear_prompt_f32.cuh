// SPDX-License-Identifier: Apache-2.0
// The sums of a tile of linear_prompt, of f32 rows and an f32 weight
//
//   numerics   f32 throughout, sums in the order of k
//   sm_75      rare, so simple: a thread makes 4 rows by 4 columns from 16 inputs at a time in shared memory
#pragma once

#include "codegen/kernels/linear/prompt_output.cuh"

namespace llcuda {

constexpr int kFloatStageInputs = 16;

/// Brings 16 inputs of kLines lines to shared memory, input by input; past the last line that one again, whose sums
/// nobody stores. Every vector is loaded: one that is zeros or a load is taken apart, in another order in each compile.
/// fourOf(line, input) is where four inputs of a line lie.
template <int kLines, int kThreads, typename FourOf>
LLCUDA_DEVICE void stageFloats(FourOf fourOf, int firstLine, int lines, int firstInput, float* to) {
  constexpr int kPitch = kLines + 4;
  static_assert(kLines * 4 % kThreads == 0, "whole vectors");
  LLCUDA_UNROLL
  for (int i = 0; i < kLines * 4 / kThreads; ++i) {
    const int index = i * kThreads + static_cast<int>(threadIdx.x);
    const int line = index / 4, input = index % 4 * 4;
    const float4 v = loadReadOnly(fourOf(lineWithin(firstLine + line, lines, kLines), firstInput + input));
    to[input * kPitch + line] = v.x;
    to[(input + 1) * kPitch + line] = v.y;
    to[(input + 2) * kPitch + line] = v.z;
    to[(input + 3) * kPitch + line] = v.w;
  }
}

template <int kK, typename Tile>
LLCUDA_DEVICE void linearPromptF32(const uint8_t* weight, const PromptRows& input, const int* positions,
                                   const PromptOutput& output) {
  static_assert(Tile::kRows * Tile::kColumns == Tile::kThreads * 16, "4 x 4 for each thread");
  LLCUDA_SHARED(float, stagedX, kFloatStageInputs*(Tile::kRows + 4));
  LLCUDA_SHARED(float, stagedWeight, kFloatStageInputs*(Tile::kColumns + 4));
  if (!anyRow<Tile>(positions, input.rows))
    return;
  const int firstColumn = static_cast<int>(blockIdx.y) * Tile::kColumns;
  const int row = static_cast<int>(threadIdx.x) / (Tile::kColumns / 4) * 4;
  const int column = static_cast<int>(threadIdx.x) % (Tile::kColumns / 4) * 4;
  const auto xAt = [&](int line, int at) {
    return reinterpret_cast<const float4*>(input.x.x + static_cast<int64_t>(line) * kK + at);
  };
  const WeightPlanes planes = planesOf<WeightLayout::kF32Rows, kK>(weight, output.columns);
  const auto weightAt = [&](int line, int at) {
    return granuleOf<float4, WeightLayout::kF32Rows, kK, WeightPlane::kCodes>(planes, line, at / 4);
  };
  float sums[4][4] = {};
  LLCUDA_NO_UNROLL
  for (int firstInput = 0; firstInput < kK; firstInput += kFloatStageInputs) {
    syncThreads(); // the stage before is no longer read
    stageFloats<Tile::kRows, Tile::kThreads>(xAt, Tile::firstRow(), input.rows, firstInput, stagedX);
    stageFloats<Tile::kColumns, Tile::kThreads>(weightAt, firstColumn, output.columns, firstInput, stagedWeight);
    syncThreads();
    LLCUDA_UNROLL
    for (int input = 0; input < kFloatStageInputs; ++input) {
      // One by one: four that are loaded together are taken apart, in another order in each compile.
      const float* const xs = stagedX + input * (Tile::kRows + 4) + row;
      const float* const weights = stagedWeight + input * (Tile::kColumns + 4) + column;
      LLCUDA_UNROLL
      for (int i = 0; i < 4; ++i) {
        LLCUDA_UNROLL
        for (int j = 0; j < 4; ++j) sums[i][j] = fusedMultiplyAdd(xs[i], weights[j], sums[i][j]);
      }
    }
  }
  LLCUDA_UNROLL
  for (int i = 0; i < 4; ++i) {
    if (Tile::firstRow() + row + i < input.rows) {
      LLCUDA_UNROLL
      for (int j = 0; j < 4; j += 2)
        output.store(Tile::firstRow() + row + i, firstColumn + column + j, make_float2(sums[i][j], sums[i][j + 1]));
    }
  }
}

} // namespace llcuda
