// SPDX-License-Identifier: Apache-2.0
// The sums of a tile of linear_prompt, of f32 rows and f16 weights
//
//   numerics   f32 rows are rounded to f16 after a power of two brings the largest of 32 neighbours below 2^15: 11
//              bits, whatever their size. Products and sums are f32
//   sm_75      mma m16n8k8. Two stages in shared memory, and one on its way in registers, as in linear_prompt_s8.cuh
#pragma once

#include "codegen/kernels/block/quantize_row.cuh"
#include "codegen/kernels/linear/prompt_tile.cuh"
#include "codegen/kernels/ptx/half.cuh"

namespace llcuda {

/// A power of two and its reciprocal: `up` brings values of magnitude `peak` or less below 2^15.
struct HalfScale {
  float up, down;
};

LLCUDA_DEVICE HalfScale halfScaleFor(float peak) {
  const uint32_t exponent = maxOf(static_cast<int>(bitCast<uint32_t>(peak) >> 23), 16); // both stay normal numbers
  return {bitCast<float>((268 - exponent) << 23), bitCast<float>((exponent - 14) << 23)};
}

/// 8 elements of a row as f16 and what they are multiplied with.
struct HalfUnit {
  uint4 halves;
  float scale;
};

/// 8 elements of a row as they come from device memory.
struct RowEight {
  float4 first = {}, second = {};

  static LLCUDA_DEVICE RowEight load(const float* from) {
    const float4* const fours = reinterpret_cast<const float4*>(from);
    return {loadReadOnly(fours), loadReadOnly(fours + 1)};
  }
  /// Four lanes that have 32 neighbours call.
  LLCUDA_DEVICE HalfUnit halves() const {
    const float4 a = first, b = second;
    const HalfScale scale = halfScaleFor(groupMax<4>(maxOf(peakOf(a), peakOf(b))));
    return {make_uint4(wordOfHalves(a.x * scale.up, a.y * scale.up), wordOfHalves(a.z * scale.up, a.w * scale.up),
                       wordOfHalves(b.x * scale.up, b.y * scale.up), wordOfHalves(b.z * scale.up, b.w * scale.up)),
            scale.down};
  }
};

template <WeightLayout kLayout, int kK, typename Tile>
struct HalfProduct {
  using Traits = WeightTraits<kLayout, kK>;
  using Eight = typename Traits::Eight;
  static constexpr int kGroups = Tile::kWarpsDeep; ///< of 32 inputs that a stage has: each depth multiplies one
  static constexpr int kBytes = 64 * kGroups;      ///< of a line of a stage
  static constexpr int kChunks = 4 * kGroups;      ///< of 8 inputs
  static constexpr int kSteps = ceilDivide(kK, 32 * kGroups);
  static constexpr bool kWhole = kK % (32 * kGroups) == 0;

  struct Stage {
    uint8_t x[Tile::kRows * kBytes];
    uint8_t weight[Tile::kColumns * kBytes];
    float xScales[kGroups * Tile::kRows];
  };

  /// What a thread carries of a stage from device memory to shared memory.
  struct Cargo {
    RowEight x[ceilDivide(Tile::kRows * kChunks, Tile::kThreads)];
    Eight weights[ceilDivide(Tile::kColumns * kChunks, Tile::kThreads)];
  };
  static_assert(Tile::kRows * kChunks % Tile::kThreads == 0, "the four threads of 32 inputs meet");

  /// What lies past the last input is zeros; a row or column past the last is the last one.
  template <typename Weights>
  static LLCUDA_DEVICE void fetch(const PromptRows& input, const Weights& weights, int step, Cargo& cargo) {
    forEachPart<Tile::kThreads, Tile::kColumns, kChunks>([&](int i, int column, int part) {
      const WeightLine line = weights.line(column);
      const int chunk = step * kChunks + part;
      cargo.weights[i] = Eight{};
      if (kWhole || chunk < kK / 8)
        cargo.weights[i] = Traits::loadEight(planesOf<kLayout, kK>(line.weight, weights.rows), line.row, chunk);
    });
    forEachPart<Tile::kThreads, Tile::kRows, kChunks>([&](int i, int line, int part) {
      const int own = static_cast<int>(threadIdx.x / kChunks);
      const int chunk = step * kChunks + part;
      cargo.x[i] = RowEight{};
      if (kWhole || chunk < kK / 8)
        cargo.x[i] = RowEight::load(input.x.x + rowElement<Tile, kK>(input.rows, line, own, 8 * chunk));
    });
  }

  static LLCUDA_DEVICE void stow(const Cargo& cargo, Stage& stage) {
    forEachPart<Tile::kThreads, Tile::kColumns, kChunks>([&](int i, int column, int part) {
      *reinterpret_cast<uint4*>(stage.weight + chunkAt<kBytes>(column, part)) = cargo.weights[i].codes;
    });
    forEachPart<Tile::kThreads, Tile::kRows, kChunks>([&](int i, int line, int part) {
      const HalfUnit x = cargo.x[i].halves();
      *reinterpret_cast<uint4*>(stage.x + chunkAt<kBytes>(line, part)) = x.halves;
      if (part % 4 == 0)
        stage.xScales[part / 4 * Tile::kRows + line] = x.scale;
    });
  }

  /// Adds the group's share to the warp's sums; calls between() when the first of what it multiplies is on its way to
  /// registers.
  template <typename Between>
  static LLCUDA_DEVICE void multiplyGroup(const Stage& stage, int group, TileSums<Tile>& sums, Between between) {
    constexpr int kDown = Tile::kDown / 2, kAcross = Tile::kAcross; // tiles of 16 x 8
    float products[kDown][kAcross][4];
    LLCUDA_UNROLL
    for (int chunk = 0; chunk < 4; chunk += 2) {
      uint32_t x[2][Tile::kDown], weight[2][kAcross];
      loadTiles<kBytes>(stage.x, Tile::warpRow(), 4 * group + chunk, x);
      loadTiles<kBytes>(stage.weight, Tile::warpColumn(), 4 * group + chunk, weight);
      if (chunk == 0)
        between();
      LLCUDA_UNROLL
      for (int i = 0; i < 2; ++i) {
        uint32_t tall[kDown][2];
        LLCUDA_UNROLL
        for (int m = 0; m < kDown; ++m) {
          tall[m][0] = x[i][2 * m];
          tall[m][1] = x[i][2 * m + 1];
        }
        if (chunk + i == 0)
          mmaF16Tile(products, 0.f, tall, weight[i]);
        else
          mmaF16Tile(products, tall, weight[i]);
      }
    }
    LLCUDA_UNROLL
    for (int n = 0; n < kAcross; ++n) {
      LLCUDA_UNROLL
      for (int m = 0; m < Tile::kDown; ++m) {
        const float xScale = stage.xScales[group * Tile::kRows + Tile::warpRow() + m * 8 + laneId() / 4];
        float(&sum)[2] = sums.at[m][n];
        sum[0] = fusedMultiplyAdd(products[m / 2][n][m % 2 * 2], xScale, sum[0]);
        sum[1] = fusedMultiplyAdd(products[m / 2][n][m % 2 * 2 + 1], xScale, sum[1]);
      }
    }
  }

  static LLCUDA_DEVICE Stage& stageAt(Stage* stages, int offset) {
    return *reinterpret_cast<Stage*>(reinterpret_cast<uint8_t*>(stages) + offset);
  }

  /// The sums of the block's tile; `stages` may be used for other things afterwards. All threads call.
  template <typename Weights>
  static LLCUDA_DEVICE void run(const PromptRows& input, const Weights& weights, Stage* stages, TileSums<Tile>& sums) {
    Cargo cargo;
    fetch(input, weights, 0, cargo);
    stow(cargo, stages[0]);
    fetch(input, weights, minOf(1, kSteps - 1), cargo);
    syncThreads();
    LLCUDA_NO_UNROLL
    for (int step = 0, offset = 0; step < kSteps; ++step) {
      const Stage& current = stageAt(stages, offset);
      offset = static_cast<int>(sizeof(Stage)) - offset;
      multiplyGroup(current, Tile::depth(), sums, [&] {
        stow(cargo, stageAt(stages, offset));
        fetch(input, weights, minOf(step + 2, kSteps - 1), cargo);
      });
      syncThreads();
    }
  }
};

} // namespace llcuda
