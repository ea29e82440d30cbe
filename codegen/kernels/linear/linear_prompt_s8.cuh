// SPDX-License-Identifier: Apache-2.0
// y[r][n] = sum over k of x[r][k] * weight[n][k] (+ bias[n]) (+ residual[r][n]) of int8 rows and a quantised weight
//
//   launch     grid (ceil(kRows / Tile::kRows), ceil(kOutputs / Tile::kColumns)), block Tile::kThreads; numbers from
//              codegen/spec/linear_prompt_spec.cpp
//   weight     the blob of kLayout, [kOutputs][kInputs]
//   xCodes, xScales   int8 rows [kRows][kInputs]
//   positions  [kRows]; a tile of rows that are all -1 is left out: y keeps what it held
//   output     y f32 [kRows][kOutputs], 8-byte aligned
//   numerics   products and sums of 32 are exact; scales and sums over k are f32
//   sm_75      mma m8n8k16. Its accumulators start at the bits of 1.5 * 2^23, so a sum is a float already, and
//              fma(float, scale, -1.5 * 2^23 * scale) is sum * scale with one rounding: the scale has 11 bits.
//              Two stages of 64 inputs in shared memory; the next one is on its way in registers meanwhile. Nibbles
//              become 16 * (code - 8) by two or three instructions for eight of them
#pragma once

#include "codegen/formats/weight_layout.h"
#include "codegen/kernels/linear/prompt_tile.cuh"
#include "codegen/kernels/ptx/half.cuh"

namespace llcuda {

constexpr int kStageInputs = 64;
constexpr int kStageGroups = kStageInputs / 32; ///< that have scales of their own

/// How a layout is staged: bytes of a row of a stage, and whether its weights have a minimum.
template <WeightLayout kLayout>
struct StagedWeight {
  static constexpr bool kNibbles = kLayout != WeightLayout::kQ8_0Planes;
  static constexpr bool kMinimum = kLayout == WeightLayout::kQ4_1Planes;
  static constexpr int kBytes = kNibbles ? kStageInputs / 2 : kStageInputs;
  static constexpr int kPitch = kNibbles ? 48 : 96; ///< no bank conflicts between eight rows
  static constexpr int kVectors = kBytes / 16;
};
constexpr int kStagedRowPitch = 96; ///< of x codes: no bank conflicts between four rows

/// One stage in shared memory. Scales are {scale, d * sum of codes} of x and {scale of the staged code, rest} of the
/// weight: weight = scale * code + rest.
template <typename Tile, typename Weight>
struct LinearStage {
  uint8_t x[Tile::kRows * kStagedRowPitch];
  uint8_t weight[Tile::kColumns * Weight::kPitch];
  float2 xScales[kStageGroups * Tile::kRows];
  float2 weightScales[kStageGroups * Tile::kColumns];
};

/// What a thread carries of a stage from device memory to shared memory.
template <typename Tile, typename Weight>
struct StageCargo {
  static constexpr int kXVectors = ceilDivide(Tile::kRows * 4, Tile::kThreads);
  static constexpr int kXScales = ceilDivide(Tile::kRows * kStageGroups, Tile::kThreads);
  static constexpr int kWeightVectors = ceilDivide(Tile::kColumns * Weight::kVectors, Tile::kThreads);
  static constexpr int kWeightScales = ceilDivide(Tile::kColumns * kStageGroups, Tile::kThreads);
  uint4 x[kXVectors];
  float2 xScales[kXScales];
  uint4 weight[kWeightVectors];
  uint32_t weightScales[kWeightScales];
};

/// The operands of a launch, and how a stage of them is fetched and unpacked.
template <WeightLayout kLayout, int kRows, int kInputs, int kOutputs, typename Tile>
struct LinearOperands {
  using Weight = StagedWeight<kLayout>;
  using Cargo = StageCargo<Tile, Weight>;
  using Stage = LinearStage<Tile, Weight>;
  static constexpr int kGroups = kInputs / 32;
  static constexpr unsigned long long kScalesAt = weightScalesOffset(kLayout, kOutputs, kInputs);

  const uint8_t* weight;
  const int8_t* xCodes;
  const float2* xScales;

  /// Calls body(i, row, part) for each of kCount parts of each of kLines lines that is this thread's; i counts them.
  template <int kLines, int kCount, typename Body>
  static LLCUDA_DEVICE void forEachPart(Body body) {
    constexpr int kEach = ceilDivide(kLines * kCount, Tile::kThreads);
    LLCUDA_UNROLL
    for (int i = 0; i < kEach; ++i) {
      const int index = i * Tile::kThreads + static_cast<int>(threadIdx.x);
      if (kLines * kCount % Tile::kThreads == 0 || index < kLines * kCount)
        body(i, index / kCount, index % kCount);
    }
  }

  /// What lies past the last row, column or input is zeros.
  LLCUDA_DEVICE void fetch(int step, Cargo& cargo) const {
    forEachPart<Tile::kRows, 4>([&](int i, int line, int part) {
      const int row = Tile::firstRow() + line, input = step * kStageInputs + part * 16;
      cargo.x[i] = make_uint4(0, 0, 0, 0);
      if (row < kRows && input < kInputs)
        cargo.x[i] =
            loadReadOnly(reinterpret_cast<const uint4*>(xCodes + static_cast<long long>(row) * kInputs + input));
    });
    forEachPart<Tile::kRows, kStageGroups>([&](int i, int line, int part) {
      const int row = Tile::firstRow() + line, group = step * kStageGroups + part;
      cargo.xScales[i] = make_float2(0.f, 0.f);
      if (row < kRows && group < kGroups)
        cargo.xScales[i] = loadReadOnly(xScales + static_cast<long long>(row) * kGroups + group);
    });
    forEachPart<Tile::kColumns, Weight::kVectors>([&](int i, int line, int part) {
      const int column = Tile::firstColumn() + line, vector = step * Weight::kVectors + part;
      constexpr int kRowVectors = kGroups * (Weight::kVectors / kStageGroups);
      cargo.weight[i] = make_uint4(0, 0, 0, 0);
      if (column < kOutputs && vector < kRowVectors)
        cargo.weight[i] = loadReadOnly(reinterpret_cast<const uint4*>(weight) +
                                       static_cast<long long>(column) * kRowVectors + vector);
    });
    forEachPart<Tile::kColumns, kStageGroups>([&](int i, int line, int part) {
      const int column = Tile::firstColumn() + line, group = step * kStageGroups + part;
      cargo.weightScales[i] = 0;
      if (column < kOutputs && group < kGroups)
        cargo.weightScales[i] = scaleBits(static_cast<long long>(column) * kGroups + group);
    });
  }

  /// f16 scale in the low half, f16 minimum in the high half.
  LLCUDA_DEVICE uint32_t scaleBits(long long index) const {
    if constexpr (Weight::kMinimum)
      return loadReadOnly(reinterpret_cast<const uint32_t*>(weight + kScalesAt) + index);
    else
      return loadReadOnly(reinterpret_cast<const uint16_t*>(weight + kScalesAt) + index);
  }

  static LLCUDA_DEVICE void stow(const Cargo& cargo, Stage& stage) {
    forEachPart<Tile::kRows, 4>([&](int i, int line, int part) {
      *reinterpret_cast<uint4*>(stage.x + line * kStagedRowPitch + part * 16) = cargo.x[i];
    });
    forEachPart<Tile::kRows, kStageGroups>(
        [&](int i, int line, int part) { stage.xScales[part * Tile::kRows + line] = cargo.xScales[i]; });
    forEachPart<Tile::kColumns, Weight::kVectors>([&](int i, int line, int part) {
      *reinterpret_cast<uint4*>(stage.weight + line * Weight::kPitch + part * 16) = cargo.weight[i];
    });
    forEachPart<Tile::kColumns, kStageGroups>([&](int i, int line, int part) {
      const float2 scale = halvesOf(cargo.weightScales[i]);
      // A nibble is staged as 16 * (code - 8); what it lacks to the weight is a minimum of m + 8 d.
      stage.weightScales[part * Tile::kColumns + line] =
          Weight::kNibbles ? make_float2(scale.x * 0.0625f, Weight::kMinimum ? scale.y + 8.f * scale.x : 0.f)
                           : make_float2(scale.x, 0.f);
    });
  }
};

/// Adds one group of 32 inputs to the warp's sums; sums[m][n] are rows lane / 4 of tile m, columns of tile n.
template <typename Tile, typename Weight, int kDown, int kAcross>
LLCUDA_DEVICE void multiplyGroup(const LinearStage<Tile, Weight>& stage, int group, float (&sums)[kDown][kAcross][2]) {
  constexpr int kBias = 0x4b400000; // the bits of 1.5 * 2^23
  constexpr float kBiasValue = 12582912.f;
  const int line = laneId() / 4, quarter = laneId() % 4;
  uint32_t x[2][kDown];
  float2 xScale[kDown];
  LLCUDA_UNROLL
  for (int m = 0; m < kDown; ++m) {
    const int row = Tile::warpRow() + m * 8 + line;
    const uint2 codes = *reinterpret_cast<const uint2*>(stage.x + row * kStagedRowPitch + group * 32 + quarter * 8);
    x[0][m] = codes.x;
    x[1][m] = codes.y;
    xScale[m] = stage.xScales[group * Tile::kRows + row];
  }
  LLCUDA_UNROLL
  for (int first = 0; first < kAcross; first += 4) {
    uint32_t w[2][4];
    float4 wScale[4]; // scale and rest of columns 2 * quarter and the next
    LLCUDA_UNROLL
    for (int n = 0; n < 4; ++n) {
      const int column = Tile::warpColumn() + (first + n) * 8;
      const uint8_t* const codes = stage.weight + (column + line) * Weight::kPitch;
      if constexpr (Weight::kNibbles) {
        const uint32_t word = *reinterpret_cast<const uint32_t*>(codes + group * 16 + quarter * 4);
        w[0][n] = ((word << 4) & 0xf0f0f0f0u) ^ 0x80808080u;
        w[1][n] = (word & 0xf0f0f0f0u) ^ 0x80808080u;
      } else {
        const uint2 words = *reinterpret_cast<const uint2*>(codes + group * 32 + quarter * 8);
        w[0][n] = words.x;
        w[1][n] = words.y;
      }
      wScale[n] = *reinterpret_cast<const float4*>(stage.weightScales + group * Tile::kColumns + column + quarter * 2);
    }
    int products[kDown][4][2];
    mmaS8Tile(products, kBias, x[0], w[0]);
    mmaS8Tile(products, x[1], w[1]);
    LLCUDA_UNROLL
    for (int n = 0; n < 4; ++n) {
      LLCUDA_UNROLL
      for (int i = 0; i < 2; ++i) {
        const float scale = i == 0 ? wScale[n].x : wScale[n].z, rest = i == 0 ? wScale[n].y : wScale[n].w;
        const float unbias = -kBiasValue * scale;
        LLCUDA_UNROLL
        for (int m = 0; m < kDown; ++m) {
          float& sum = sums[m][first + n][i];
          sum = fusedMultiplyAdd(fusedMultiplyAdd(bitCast<float>(products[m][n][i]), scale, unbias), xScale[m].x, sum);
          if constexpr (Weight::kMinimum)
            sum = fusedMultiplyAdd(rest, xScale[m].y, sum);
        }
      }
    }
  }
}

template <WeightLayout kLayout, int kRows, int kInputs, int kOutputs, typename Tile>
LLCUDA_DEVICE void linearPromptS8(const uint8_t* weight, const int8_t* xCodes, const float2* xScales,
                                  const int* positions, PromptOutput output) {
  using Operands = LinearOperands<kLayout, kRows, kInputs, kOutputs, Tile>;
  using Stage = typename Operands::Stage;
  static_assert(sizeof(Stage) * 2 <= 48 * 1024, "static shared memory");
  constexpr int kDown = Tile::kWarpRows / 8, kAcross = Tile::kWarpColumns / 8;
  constexpr int kSteps = ceilDivide(kInputs, kStageInputs);
  LLCUDA_SHARED(Stage, stages, 2);
  if (!anyRow<Tile, kRows>(positions))
    return;
  const Operands operands{weight, xCodes, xScales};
  float sums[kDown][kAcross][2] = {};
  typename Operands::Cargo cargo;
  operands.fetch(0, cargo);
  Operands::stow(cargo, stages[0]);
  syncThreads();
  LLCUDA_NO_UNROLL
  for (int step = 0; step < kSteps; ++step) {
    if (step + 1 < kSteps)
      operands.fetch(step + 1, cargo);
    LLCUDA_UNROLL
    for (int group = 0; group < kStageGroups; ++group) multiplyGroup(stages[step % 2], group, sums);
    if (step + 1 < kSteps)
      Operands::stow(cargo, stages[(step + 1) % 2]);
    syncThreads();
  }
  LLCUDA_UNROLL
  for (int m = 0; m < kDown; ++m) {
    const int row = Tile::firstRow() + Tile::warpRow() + m * 8 + laneId() / 4;
    if (row < kRows) {
      LLCUDA_UNROLL
      for (int n = 0; n < kAcross; ++n)
        output.template store<kOutputs>(row, Tile::firstColumn() + Tile::warpColumn() + n * 8 + laneId() % 4 * 2,
                                        sums[m][n][0], sums[m][n][1]);
    }
  }
}

} // namespace llcuda
