// SPDX-License-Identifier: Apache-2.0
// The sums of a tile of linear_prompt, of int8 rows and a layout that reads them
//
//   numerics   products and sums of a scale's codes are exact; scales and sums over k are f32. Where 16 weights have a
//              scale, the two sums of 32 meet beside 1.5 * 2^23 times the second scale: an error of at most one product
//              of that scale, a fortieth of what the rounding of x makes. Minimums: minimum_terms.cuh
//   sm_75      mma m8n8k16. Its accumulators start at the bits of 1.5 * 2^23, so a sum is a float already, and
//              fma(float, scale, -1.5 * 2^23 * scale) is sum * scale with one rounding: scales are cut to 22 bits.
//              Two stages in shared memory. While one is multiplied, the next, in registers since the step before as
//              the layout's units, becomes int8 codes on its way to the other, and loads of the one after it follow:
//              all of a step is one block of code without branches, so that the compiler lays it between the products
#pragma once

#include "codegen/kernels/linear/minimum_terms.cuh"
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

/// Who adds what minimums do.
enum class MinimumSums {
  kNone,
  kOfGroups, ///< lanes, with the sums of 32 codes that come with the rows
  kOfHalves, ///< lanes, with sums of 16 codes
  kTerms     ///< tensor cores, of both groups of a stage at once
};

/// What a stage has for it besides.
template <MinimumSums kSums, int kRows, int kColumns, int kHalves>
struct StageMinimums {};
template <int kRows, int kColumns, int kHalves>
struct StageMinimums<MinimumSums::kOfHalves, kRows, kColumns, kHalves> {
  float xSums[kHalves * kRows]; ///< sums of the codes
};
template <int kRows, int kColumns, int kHalves>
struct StageMinimums<MinimumSums::kTerms, kRows, kColumns, kHalves> {
  MinimumTerms::Row xTerms[kRows];
  MinimumTerms::Column terms[kColumns];
};

template <WeightLayout kLayout, int kK, typename Tile>
struct Int8Product {
  using Traits = WeightTraits<kLayout, kK>;
  using Unit = typename Traits::Unit;
  static constexpr int kGroups = Tile::kWarpsDeep > 2 ? Tile::kWarpsDeep : 2; ///< of 32 inputs that a stage has
  static constexpr int kBytes = 32 * kGroups;                                 ///< of a line of a stage
  static constexpr int kSteps = ceilDivide(kK, kBytes);
  static constexpr bool kWhole = kK % kBytes == 0;
  static constexpr int kHalves = 32 / Traits::kScaleStep; ///< of a group that have a scale of their own
  static constexpr int kChunks = kBytes / 16, kUnits = kBytes / Traits::kUnit;

  static constexpr MinimumSums kSums = !weightHasMinimum(kLayout)                  ? MinimumSums::kNone
                                       : kHalves == 2                              ? MinimumSums::kOfHalves
                                       : Tile::kWarpsDeep == 1 && Tile::kDown >= 8 ? MinimumSums::kTerms
                                                                                   : MinimumSums::kOfGroups;
  static constexpr bool kHasTerms = kSums == MinimumSums::kOfGroups || kSums == MinimumSums::kTerms;
  static constexpr bool kByLanes = kSums == MinimumSums::kOfGroups || kSums == MinimumSums::kOfHalves;
  static constexpr int kRowTiles = Tile::kRows / kFragmentRows;

  /// One stage in shared memory: weight = scale * code + minimum.
  struct Stage : StageMinimums<kSums, Tile::kRows, Tile::kColumns, kGroups * kHalves> {
    uint4 x[kRowTiles * kGroups * kWarpSize]; ///< [tile of 16 rows][group][lane], as rows come
    uint8_t weight[Tile::kColumns * kBytes];
    StageScale<kSums == MinimumSums::kOfGroups> xScales[kGroups * Tile::kRows];
    StageScale<kByLanes> scales[kGroups * kHalves * Tile::kColumns];
  };

  /// What a thread carries of a stage from device memory to shared memory.
  struct Cargo {
    uint4 x[ceilDivide(kRowTiles * kGroups * kWarpSize, Tile::kThreads)];
    float2 xScales[ceilDivide(kRowTiles * kGroups * 8, Tile::kThreads)]; ///< of two rows
    uint2 xTerms[kHasTerms ? ceilDivide(kRowTiles * kGroups * 8, Tile::kThreads) : 1];
    Unit units[ceilDivide(Tile::kColumns * kUnits, Tile::kThreads)];
  };

  /// What lies past the last input is zeros; a row or column past the last is the last one.
  template <typename Weights>
  static LLCUDA_DEVICE void fetch(const PromptRows& input, const Weights& weights, int step, Cargo& cargo) {
    forEachPart<Tile::kThreads, Tile::kColumns, kUnits>([&](int i, int column, int part) {
      const WeightLine line = weights.line(column);
      const int unit = step * kUnits + part;
      cargo.units[i] = Unit{};
      if (kWhole || unit < kK / Traits::kUnit)
        cargo.units[i] = Traits::load(planesOf<kLayout, kK>(line.weight, weights.rows), line.row, unit);
    });
    forEachRowBlock<kWarpSize>([&](int i, int tile, int group, int lane, int own) {
      cargo.x[i] = make_uint4(0, 0, 0, 0);
      if (kWhole || step * kGroups + group < kK / kRowBlock)
        cargo.x[i] = loadReadOnly(reinterpret_cast<const uint4*>(
            input.x.codes + rowBlock<Tile, kK, codesStep(RowOrder::kFragments)>(input.rows, tile, own,
                                                                                step * kGroups + group, 16 * lane)));
    });
    forEachRowBlock<8>([&](int i, int tile, int group, int g, int own) {
      cargo.xScales[i] = make_float2(0.f, 0.f);
      if constexpr (kHasTerms)
        cargo.xTerms[i] = make_uint2(0, 0);
      if (kWhole || step * kGroups + group < kK / kRowBlock) {
        const uint8_t* const from =
            reinterpret_cast<const uint8_t*>(input.x.scales) +
            rowBlock<Tile, kK, scalesStep(RowOrder::kFragments)>(input.rows, tile, own, step * kGroups + group, 8 * g);
        cargo.xScales[i] = loadReadOnly(reinterpret_cast<const float2*>(from));
        if constexpr (kHasTerms)
          cargo.xTerms[i] = loadReadOnly(reinterpret_cast<const uint2*>(from + sumAfterScale(RowOrder::kFragments)));
      }
    });
  }

  /// Calls body(i, tile, group, part, own) for each of kParts parts of a stage's blocks of 16 rows that is this
  /// thread's: of tile `tile` of rows, from which `own` differs by a constant, and group `group`.
  template <int kParts, typename Body>
  static LLCUDA_DEVICE void forEachRowBlock(Body body) {
    const int own = static_cast<int>(threadIdx.x / kParts) / kGroups;
    forEachPart<Tile::kThreads, kRowTiles * kGroups, kParts>([&](int i, int line, int part) {
      if constexpr (Tile::kThreads % (kParts * kGroups) == 0)
        body(i, own + i * (Tile::kThreads / kParts / kGroups), static_cast<int>(threadIdx.x / kParts) % kGroups, part,
             own);
      else
        body(i, line / kGroups, line % kGroups, part, line / kGroups);
    });
  }

  static LLCUDA_DEVICE void stow(const Cargo& cargo, Stage& stage) {
    forEachRowBlock<kWarpSize>([&](int i, int tile, int group, int lane, int) {
      stage.x[(tile * kGroups + group) * kWarpSize + lane] = cargo.x[i];
      if constexpr (kSums == MinimumSums::kOfHalves) {
        const auto sumOf = [](uint32_t codes) { return dp4a(static_cast<int>(codes), 0x01010101, 0); };
        int sums[4] = {sumOf(cargo.x[i].x), sumOf(cargo.x[i].y), sumOf(cargo.x[i].z), sumOf(cargo.x[i].w)};
        groupSum<4>(sums); // [row][half]
        const int q = lane % 4, sum = q < 2 ? (q == 0 ? sums[0] : sums[1]) : (q == 2 ? sums[2] : sums[3]);
        stage.xSums[(2 * group + q % 2) * Tile::kRows + tile * 16 + q / 2 * 8 + lane / 4] = static_cast<float>(sum);
      }
    });
    forEachPart<Tile::kThreads, Tile::kColumns, kUnits>(
        [&](int i, int column, int part) { stowUnit(cargo.units[i], column, part, stage); });
    forEachRowBlock<8>([&](int i, int tile, int group, int g, int) {
      const float scales[2] = {cargo.xScales[i].x, cargo.xScales[i].y};
      const uint32_t terms[2] = {cargo.xTerms[kHasTerms ? i : 0].x, cargo.xTerms[kHasTerms ? i : 0].y};
      LLCUDA_UNROLL
      for (int r = 0; r < 2; ++r) {
        const int line = tile * 16 + 8 * r + g;
        const float sum = kSums == MinimumSums::kOfGroups ? SumTerms::sumOf(terms[r]) : 0.f;
        stage.xScales[group * Tile::kRows + line].set(make_float2(scales[r], sum));
        if constexpr (kSums == MinimumSums::kTerms)
          stage.xTerms[line].set(group, terms[r]);
      }
    });
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
      const int at = part * Traits::kUnit / Traits::kScaleStep + i;
      stage.scales[at * Tile::kColumns + column].set({cut, scale.y});
      if constexpr (kSums == MinimumSums::kTerms)
        stage.terms[column].set(at, scale.y);
    }
  }

  /// Adds the group's share to the warp's sums; calls between() when what it multiplies is on its way to registers.
  template <typename Between>
  static LLCUDA_DEVICE void multiplyGroup(const Stage& stage, int group, TileSums<Tile>& sums, Between between) {
    constexpr int kDown = Tile::kDown, kAcross = Tile::kAcross;
    uint32_t x[2][kDown], weight[2][kAcross];
    const uint4* const own = stage.x + Tile::warpRow() * (2 * kGroups) + laneId();
    LLCUDA_UNROLL
    for (int m = 0; m < kDown; m += 2) {
      const uint4 words = own[(m / 2 * kGroups + group) * kWarpSize];
      x[0][m] = words.x, x[1][m] = words.y;
      x[0][m + 1] = words.z, x[1][m + 1] = words.w;
    }
    loadTiles<kBytes>(stage.weight, Tile::warpColumn(), 2 * group, weight);
    float xScale[kDown], xSum[kHalves][kDown];
    LLCUDA_UNROLL
    for (int m = 0; m < kDown; ++m) {
      const int row = Tile::warpRow() + m * 8 + laneId() / 4;
      const float2 both = stage.xScales[group * Tile::kRows + row].get();
      xScale[m] = both.x, xSum[0][m] = both.y;
      if constexpr (kSums == MinimumSums::kOfHalves) {
        LLCUDA_UNROLL
        for (int half = 0; half < kHalves; ++half)
          xSum[half][m] = xScale[m] * stage.xSums[(group * kHalves + half) * Tile::kRows + row];
      }
    }
    between();
    LLCUDA_UNROLL
    for (int n = 0; n < kAcross; ++n) {
      const uint32_t first[1] = {weight[0][n]}, second[1] = {weight[1][n]};
      int products[kHalves][kDown][1][2];
      mmaS8Tile(products[0], kBias, x[0], first);
      if constexpr (kHalves == 1)
        mmaS8Tile(products[0], x[1], second);
      else
        mmaS8Tile(products[1], kBias, x[1], second);
      addProducts(stage, group, n, products, xScale, xSum, sums);
    }
  }

  /// Of column `n` of tiles.
  static LLCUDA_DEVICE void addProducts(const Stage& stage, int group, int n,
                                        const int (&products)[kHalves][Tile::kDown][1][2],
                                        const float (&xScale)[Tile::kDown], const float (&xSum)[kHalves][Tile::kDown],
                                        TileSums<Tile>& sums) {
    const int column = Tile::warpColumn() + n * 8 + laneId() % 4 * 2;
    float2 scale[kHalves], minimum[kHalves], unbias = make_float2(0.f, 0.f);
    LLCUDA_UNROLL
    for (int half = 0; half < kHalves; ++half) {
      const float4 both = StageScale<kByLanes>::two(stage.scales + (group * kHalves + half) * Tile::kColumns + column);
      scale[half] = make_float2(both.x, both.z), minimum[half] = make_float2(both.y, both.w);
      unbias =
          make_float2(fusedMultiplyAdd(-kBiasValue, both.x, unbias.x), fusedMultiplyAdd(-kBiasValue, both.z, unbias.y));
    }
    LLCUDA_UNROLL
    for (int m = 0; m < Tile::kDown; ++m) {
      float(&sum)[2] = sums.at[m][n];
      float2 share = unbias;
      LLCUDA_UNROLL
      for (int half = 0; half < kHalves; ++half) {
        share.x = fusedMultiplyAdd(bitCast<float>(products[half][m][0][0]), scale[half].x, share.x);
        share.y = fusedMultiplyAdd(bitCast<float>(products[half][m][0][1]), scale[half].y, share.y);
      }
      sum[0] = fusedMultiplyAdd(share.x, xScale[m], sum[0]);
      sum[1] = fusedMultiplyAdd(share.y, xScale[m], sum[1]);
      LLCUDA_UNROLL
      for (int half = 0; kByLanes && half < kHalves; ++half) {
        sum[0] = fusedMultiplyAdd(minimum[half].x, xSum[half][m], sum[0]);
        sum[1] = fusedMultiplyAdd(minimum[half].y, xSum[half][m], sum[1]);
      }
    }
  }

  static constexpr int kBias = 0x4b400000; ///< the bits of 1.5 * 2^23
  static constexpr float kBiasValue = 12582912.f;

  static LLCUDA_DEVICE Stage& stageAt(Stage* stages, int offset) {
    return *reinterpret_cast<Stage*>(reinterpret_cast<uint8_t*>(stages) + offset);
  }

  /// The sums of the block's tile; `stages` may be used for other things afterwards. All threads call.
  template <typename Weights>
  static LLCUDA_DEVICE void run(const PromptRows& input, const Weights& weights, Stage* stages, TileSums<Tile>& sums) {
    constexpr int kOwn = kGroups / Tile::kWarpsDeep;        // groups of a stage that the warp multiplies
    constexpr int kStowGroup = kHalves == 1 ? 0 : kOwn - 1; // beside which: by the registers that products take
    Cargo cargo;
    fetch(input, weights, 0, cargo);
    stow(cargo, stages[0]);
    fetch(input, weights, minOf(1, kSteps - 1), cargo);
    syncThreads();
    LLCUDA_NO_UNROLL
    for (int step = 0, offset = 0; step < kSteps; ++step) {
      const Stage& current = stageAt(stages, offset);
      offset = static_cast<int>(sizeof(Stage)) - offset;
      if constexpr (kSums == MinimumSums::kTerms)
        MinimumTerms::add(current.xTerms + Tile::warpRow(), current.terms + Tile::warpColumn(), sums.at);
      LLCUDA_UNROLL
      for (int i = 0; i < kOwn; ++i)
        multiplyGroup(current, Tile::depth() * kOwn + i, sums, [&] {
          if (i != kStowGroup)
            return;
          stow(cargo, stageAt(stages, offset));
          fetch(input, weights, minOf(step + 2, kSteps - 1), cargo);
        });
      syncThreads();
    }
  }
};

} // namespace llcuda
