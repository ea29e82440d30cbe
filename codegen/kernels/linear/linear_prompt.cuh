// SPDX-License-Identifier: Apache-2.0
// y[r][n] = sum over k of x[r][k] * weight[n][k] (+ bias[n]) (+ residual[r][n]) for many rows, by tensor cores
//
//   launch     grid (ceil(m / rows of a tile), ceil(n / columns of a tile)), block PromptTile::kThreads; numbers from
//              codegen/spec/linear_prompt_spec.cpp
//   weight     blob of the layout, 256-byte aligned
//   inputs     int8 rows or f16 rows in the order of fragments, or f32 rows [m][k], as the layout reads; 16-byte
//              aligned
//   positions  [m]; a tile of rows that are all -1 is left out: y keeps what it held
//   output     y f32 [m][n], 8-byte aligned; residual may be y
//   low        what kLowRank columns of an adapter add: low_rank_operand.cuh; not to f32_rows
//   numerics   linear_prompt_s8.cuh, linear_prompt_f16.cuh, linear_prompt_f32.cuh, prompt_low_rank.cuh
#pragma once

#include "codegen/kernels/linear/linear_prompt_f16.cuh"
#include "codegen/kernels/linear/linear_prompt_f32.cuh"
#include "codegen/kernels/linear/linear_prompt_s8.cuh"
#include "codegen/kernels/linear/prompt_low_rank.cuh"
#include "codegen/kernels/linear/prompt_output.cuh"

namespace llcuda {

template <bool kFirst, typename First, typename Second>
struct Choose {
  using Type = First;
};
template <typename First, typename Second>
struct Choose<false, First, Second> {
  using Type = Second;
};

/// How tensor cores multiply the layout.
template <WeightLayout kLayout, int kK, typename Tile>
using TileProduct =
    typename Choose<weightHasInt8Codes(kLayout), Int8Product<kLayout, kK, Tile>, HalfProduct<kLayout, kK, Tile>>::Type;

/// Shared memory of tileSums, in vectors of 16 bytes; one where it needs none.
template <WeightLayout kLayout, int kK, typename Tile>
constexpr int tileVectors() {
  constexpr int kStages = TileProduct<kLayout, kK, Tile>::kSharedBytes;
  constexpr int kDepths = (Tile::kWarpsDeep - 1) * Tile::kRows * Tile::kColumns * 4;
  static_assert(kStages <= 48 * 1024 && kDepths <= 48 * 1024, "static shared memory");
  constexpr int kBytes = kStages > kDepths ? kStages : kDepths;
  return kBytes == 0 ? 1 : ceilDivide(kBytes, 16);
}

/// The sums of the block's tile, in the warps to which it returns true; `shared` is then free. All threads call.
template <WeightLayout kLayout, int kK, typename Tile, typename Weights>
LLCUDA_DEVICE bool tileSums(const PromptRows& input, const Weights& weights, uint4* shared, TileSums<Tile>& sums) {
  TileProduct<kLayout, kK, Tile>::run(input, weights, shared, sums);
  return addDepths<Tile>(reinterpret_cast<float*>(shared), sums);
}

/// Rows and outputs are variables here, so that tests compile a layout and tile once. They are handed over one by one:
/// inside structs they cost the tallest tile up to 56 bytes of spills (NVRTC 12.9, Q6_K, K 10240).
template <WeightLayout kLayout, int kK, typename Tile, int kLowRank = 0>
LLCUDA_DEVICE void linearPromptOf(int rows, int outputs, const uint8_t* weight, const InputRows& x,
                                  const HalfRows& halves, const int* positions, const float* bias,
                                  const float* residual, float* y, const LowRank& low = {}) {
  const PromptRows input = {x, halves, rows};
  const PromptOutput output = {bias, residual, y, outputs};
  const int firstColumn = static_cast<int>(blockIdx.y) * Tile::kColumns;
  if constexpr (!weightTakesTensorCores(kLayout)) {
    static_assert(kLowRank == 0, "low-rank products are added by tensor cores");
    linearPromptF32<kK, Tile>(weight, input, positions, output);
  } else {
    LLCUDA_SHARED(uint4, shared, (tileVectors<kLayout, kK, Tile>()));
    if (!anyRow<Tile>(positions, rows))
      return;
    TileSums<Tile> sums = {};
    const OneWeight<Tile> weights = {weight, outputs, firstColumn};
    if (!tileSums<kLayout, kK, Tile>(input, weights, shared, sums))
      return;
    if constexpr (kLowRank != 0)
      addLowRank<kLowRank>(low.low, rows, OneWeight<Tile>{low.weights[0], outputs, firstColumn}, sums);
    output.storeTile(rows, firstColumn, sums);
  }
}

template <WeightLayout kWeight, LinearShape kShape, PromptCut kCut, int kLowRank = 0>
LLCUDA_DEVICE void linearPrompt(const uint8_t* weight, const float* x, const int8_t* xCodes, const float2* xScales,
                                const uint8_t* xHalves, const float* xHalfScales, const int* positions,
                                const float* bias, const float* residual, float* y, const LowRank& low = {}) {
  linearPromptOf<kWeight, kShape.k, PromptTile<kCut>, kLowRank>(
      kShape.m, kShape.n, weight, {x, xCodes, xScales}, {xHalves, xHalfScales}, positions, bias, residual, y, low);
}

} // namespace llcuda
