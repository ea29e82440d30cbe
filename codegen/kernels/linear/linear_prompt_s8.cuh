// SPDX-License-Identifier: Apache-2.0
// The sums of a tile of linear_prompt, of int8 rows and a layout that reads them
//
//   numerics   products and sums of a scale's codes are exact; scales and sums over k are f32
//   sm_75      mma m8n8k16. Its accumulators start at the bits of 1.5 * 2^23, so a sum is a float already, and
//              fma(float, scale, -1.5 * 2^23 * scale) is sum * scale with one rounding: scales are cut to 22 bits.
//              Two stages in shared memory; the next one is on its way in registers meanwhile, as the layout's units,
//              which become int8 codes on their way to shared memory: once for all warps
#pragma once

#include "codegen/kernels/linear/prompt_tile.cuh"

namespace llcuda {

/// A scale in shared memory, and what belongs to the minimum of a layout that has one: the minimum, or
/// scale * sum of a row's codes.
template <bool kMinimum>
struct StageScale {
  float2 both;

  LLCUDA_DEVICE void set(float2 scaleAndOther) { both = scaleAndOther; }
  LLCUDA_DEVICE float2 get() const { return both; }
  /// Two neighbours, the first at an even index.
  static LLCUDA_DEVICE float4 two(const StageScale* first) { return *reinterpret_cast<const float4*>(first); }
};
template <>
struct StageScale<false> {
  float scale;

  LLCUDA_DEVICE void set(float2 scaleAndOther) { scale = scaleAndOther.x; }
  LLCUDA_DEVICE float2 get() const { return make_float2(scale, 0.f); }
  static LLCUDA_DEVICE float4 two(const StageScale* first) {
    const float2 scales = *reinterpret_cast<const float2*>(first);
    return make_float4(scales.x, 0.f, scales.y, 0.f);
  }
};

template <WeightLayout kLayout, int kInputs, typename Tile>
struct Int8Product {
  using Traits = WeightTraits<kLayout, kInputs>;
  using Unit = typename Traits::Unit;
  static constexpr bool kMinimum = weightHasMinimum(kLayout);
  static constexpr int kGroups = Tile::kWarpsDeep > 2 ? Tile::kWarpsDeep : 2; ///< of 32 inputs that a stage has
  static constexpr int kBytes = 32 * kGroups;                                 ///< of a line of a stage
  static constexpr int kSteps = ceilDivide(kInputs, kBytes);
  static constexpr bool kWhole = kInputs % kBytes == 0;
  static constexpr int kHalves = 32 / Traits::kScaleStep; ///< of a group that have a scale of their own
  static constexpr int kChunks = kBytes / 16, kUnits = kBytes / Traits::kUnit;

  static constexpr bool kSumsOfHalves = kMinimum && kHalves == 2; ///< rows come with sums of 32 codes only
  /// Groups whose scales of a row are read together: 16 bytes where every row is aligned to them.
  static constexpr int kTogether = kInputs % 64 == 0 ? 2 : 1;

  /// One stage in shared memory: weight = scale * code + minimum.
  struct Stage {
    uint8_t x[Tile::kRows * kBytes];
    uint8_t weight[Tile::kColumns * kBytes];
    StageScale<kMinimum && !kSumsOfHalves> xScales[kGroups * Tile::kRows];
    StageScale<kMinimum> scales[kGroups * kHalves * Tile::kColumns];
    float xSums[kSumsOfHalves ? kGroups * kHalves * Tile::kRows : 4]; ///< sums of the codes
  };

  /// What a thread carries of a stage from device memory to shared memory.
  struct Cargo {
    int4 x[ceilDivide(Tile::kRows * kChunks, Tile::kThreads)];
    float2 xScales[ceilDivide(Tile::kRows * (kGroups / kTogether), Tile::kThreads)][kTogether];
    Unit units[ceilDivide(Tile::kColumns * kUnits, Tile::kThreads)];
  };

  /// What lies past the last input is zeros; a row or column past the last is the last one.
  template <typename Weights>
  static LLCUDA_DEVICE void fetch(const PromptRows& input, const Weights& weights, int step, Cargo& cargo) {
    forEachPart<Tile::kThreads, Tile::kColumns, kUnits>([&](int i, int column, int part) {
      const WeightLine line = weights.line(column);
      const int unit = step * kUnits + part;
      cargo.units[i] = Unit{};
      if (kWhole || unit < kInputs / Traits::kUnit)
        cargo.units[i] = Traits::load(planesFrom<kLayout, kInputs>(line.weight, weights.rows, 0), line.row, unit);
    });
    forEachPart<Tile::kThreads, Tile::kRows, kChunks>([&](int i, int line, int part) {
      const int64_t row = rowStart<Tile, kInputs>(input.rows, line, static_cast<int>(threadIdx.x / kChunks));
      const int chunk = step * kChunks + part;
      cargo.x[i] = make_int4(0, 0, 0, 0);
      if (kWhole || chunk < kInputs / 16)
        cargo.x[i] = loadReadOnly(reinterpret_cast<const int4*>(input.x.codes + row) + chunk);
    });
    forEachPart<Tile::kThreads, Tile::kRows, kGroups / kTogether>([&](int i, int line, int part) {
      const int own = static_cast<int>(threadIdx.x / (kGroups / kTogether));
      const int64_t row = rowStart<Tile, kInputs / 32>(input.rows, line, own);
      const int group = step * kGroups + part * kTogether;
      LLCUDA_UNROLL
      for (float2& scale : cargo.xScales[i]) scale = make_float2(0.f, 0.f);
      if (kWhole || group < kInputs / 32)
        loadScales(input.x.scales + row + group, cargo.xScales[i]);
    });
  }

  static LLCUDA_DEVICE void loadScales(const float2* from, float2 (&to)[kTogether]) {
    if constexpr (kTogether == 2) {
      const float4 both = loadReadOnly(reinterpret_cast<const float4*>(from));
      to[0] = make_float2(both.x, both.y);
      to[1] = make_float2(both.z, both.w);
    } else {
      to[0] = loadReadOnly(from);
    }
  }

  static LLCUDA_DEVICE void stow(const Cargo& cargo, Stage& stage) {
    forEachPart<Tile::kThreads, Tile::kColumns, kUnits>(
        [&](int i, int column, int part) { stowUnit(cargo.units[i], column, part, stage); });
    forEachPart<Tile::kThreads, Tile::kRows, kChunks>([&](int i, int line, int part) {
      const int4& codes = cargo.x[i];
      constexpr int kLines = Tile::kThreads / kChunks; // between the lines of a thread
      const int own = kLines % 8 == 0 ? static_cast<int>(threadIdx.x / kChunks) : line;
      *reinterpret_cast<int4*>(stage.x + chunkAt<kBytes>(own, part) + (line - own) * kBytes) = codes;
      if (kSumsOfHalves)
        stage.xSums[part * Tile::kRows + line] = static_cast<float>(sumOfCodes(codes));
    });
    forEachPart<Tile::kThreads, Tile::kRows, kGroups / kTogether>([&](int i, int line, int part) {
      LLCUDA_UNROLL
      for (int t = 0; t < kTogether; ++t)
        stage.xScales[(part * kTogether + t) * Tile::kRows + line].set(cargo.xScales[i][t]);
    });
  }

  static LLCUDA_DEVICE int sumOfCodes(const int4& codes) {
    constexpr int kOnes = 0x01010101;
    return dp4a(codes.x, kOnes, dp4a(codes.y, kOnes, dp4a(codes.z, kOnes, dp4a(codes.w, kOnes, 0))));
  }

  static LLCUDA_DEVICE void stowUnit(const Unit& unit, int column, int part, Stage& stage) {
    const CodeWords<Traits::kUnit / 4> codes = Traits::codes(unit);
    constexpr int kUnitChunks = Traits::kUnit / 16;
    LLCUDA_UNROLL
    for (int c = 0; c < kUnitChunks; ++c)
      *reinterpret_cast<uint4*>(stage.weight + chunkAt<kBytes>(column, part * kUnitChunks + c)) =
          make_uint4(codes.word[4 * c], codes.word[4 * c + 1], codes.word[4 * c + 2], codes.word[4 * c + 3]);
    if (part * Traits::kUnit % Traits::kScaleStep != 0)
      return; // the unit before has the scale
    constexpr int kScales = Traits::kUnit > Traits::kScaleStep ? Traits::kUnit / Traits::kScaleStep : 1;
    LLCUDA_UNROLL
    for (int i = 0; i < kScales; ++i) {
      const float2 scale = Traits::scale(unit, i);
      const float cut = bitCast<float>(bitCast<uint32_t>(scale.x) & ~3u);
      stage.scales[(part * Traits::kUnit / Traits::kScaleStep + i) * Tile::kColumns + column].set({cut, scale.y});
    }
  }

  /// Adds the group's share, or that of each half, to the warp's sums.
  static LLCUDA_DEVICE void multiplyGroup(const Stage& stage, int group, TileSums<Tile>& sums) {
    constexpr int kDown = Tile::kDown, kAcross = Tile::kAcross;
    uint32_t x[2][kDown], weight[2][kAcross];
    loadTiles<kBytes>(stage.x, Tile::warpRow(), 2 * group, x);
    loadTiles<kBytes>(stage.weight, Tile::warpColumn(), 2 * group, weight);
    float xScale[kDown], xSum[kDown];
    LLCUDA_UNROLL
    for (int m = 0; m < kDown; ++m) {
      const float2 both = stage.xScales[group * Tile::kRows + Tile::warpRow() + m * 8 + laneId() / 4].get();
      xScale[m] = both.x, xSum[m] = both.y;
    }
    LLCUDA_UNROLL
    for (int half = 0; half < kHalves; ++half) {
      const int part = group * kHalves + half;
      if (kSumsOfHalves) {
        LLCUDA_UNROLL
        for (int m = 0; m < kDown; ++m)
          xSum[m] = xScale[m] * stage.xSums[part * Tile::kRows + Tile::warpRow() + m * 8 + laneId() / 4];
      }
      constexpr int kAtOnce = kDown >= 8 ? 2 : 4; // columns of tiles: their products take registers
      LLCUDA_UNROLL
      for (int first = 0; first < kAcross; first += kAtOnce) {
        uint32_t w[2][kAtOnce];
        LLCUDA_UNROLL
        for (int n = 0; n < kAtOnce; ++n) {
          w[0][n] = weight[0][first + n];
          w[1][n] = weight[1][first + n];
        }
        int products[kDown][kAtOnce][2];
        mmaS8Tile(products, kBias, x[half], w[half]);
        if (kHalves == 1)
          mmaS8Tile(products, x[1], w[1]);
        addProducts(stage, part, first, products, xScale, xSum, sums);
      }
    }
  }

  template <int kAtOnce>
  static LLCUDA_DEVICE void
  addProducts(const Stage& stage, int part, int first, const int (&products)[Tile::kDown][kAtOnce][2],
              const float (&xScale)[Tile::kDown], const float (&xSum)[Tile::kDown], TileSums<Tile>& sums) {
    LLCUDA_UNROLL
    for (int n = 0; n < kAtOnce; ++n) {
      const int at = part * Tile::kColumns + Tile::warpColumn() + (first + n) * 8 + laneId() % 4 * 2;
      const float4 both = StageScale<kMinimum>::two(stage.scales + at);
      const float2 scale = make_float2(both.x, both.z), minimum = make_float2(both.y, both.w);
      const float2 unbias = make_float2(-kBiasValue * scale.x, -kBiasValue * scale.y);
      LLCUDA_UNROLL
      for (int m = 0; m < Tile::kDown; ++m) {
        float(&sum)[2] = sums.at[m][first + n];
        const float a = fusedMultiplyAdd(bitCast<float>(products[m][n][0]), scale.x, unbias.x);
        const float b = fusedMultiplyAdd(bitCast<float>(products[m][n][1]), scale.y, unbias.y);
        sum[0] = fusedMultiplyAdd(a, xScale[m], sum[0]);
        sum[1] = fusedMultiplyAdd(b, xScale[m], sum[1]);
        if (kMinimum) {
          sum[0] = fusedMultiplyAdd(minimum.x, xSum[m], sum[0]);
          sum[1] = fusedMultiplyAdd(minimum.y, xSum[m], sum[1]);
        }
      }
    }
  }

  static constexpr int kBias = 0x4b400000; ///< the bits of 1.5 * 2^23
  static constexpr float kBiasValue = 12582912.f;

  /// The sums of the block's tile; `stages` may be used for other things afterwards. All threads call.
  template <typename Weights>
  static LLCUDA_DEVICE void run(const PromptRows& input, const Weights& weights, Stage* stages, TileSums<Tile>& sums) {
    constexpr int kOwn = kGroups / Tile::kWarpsDeep; // groups of a stage that the warp multiplies
    Cargo cargo;
    fetch(input, weights, 0, cargo);
    stow(cargo, stages[0]);
    syncThreads();
    LLCUDA_NO_UNROLL
    for (int step = 0; step < kSteps; ++step) {
      if (step + 1 < kSteps)
        fetch(input, weights, step + 1, cargo);
      LLCUDA_NO_UNROLL
      for (int group = 0; group < kOwn; ++group) multiplyGroup(stages[step % 2], Tile::depth() * kOwn + group, sums);
      if (step + 1 < kSteps)
        stow(cargo, stages[(step + 1) % 2]);
      syncThreads();
    }
  }
};

} // namespace llcuda
