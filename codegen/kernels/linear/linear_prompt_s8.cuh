// SPDX-License-Identifier: Apache-2.0
// The sums of a tile of linear_prompt, of int8 rows and a layout that reads them
//
//   numerics   products and sums of a scale's codes are exact; scales and sums over k are f32. Where 16 weights have a
//              scale, the two sums of 32 meet beside 1.5 * 2^23 times the second scale: an error of at most one product
//              of that scale, a fortieth of what the rounding of x makes. Minimums: minimum_terms.cuh
//   sm_75      mma m8n8k16. Its accumulators start at the bits of 1.5 * 2^23, so a sum is a float already, and
//              fma(float, scale, -1.5 * 2^23 * scale) is sum * scale with one rounding: scales are cut to 22 bits.
//              Warps are by themselves: codes of both sides lie in memory in the order of fragments and go straight to
//              registers, a unit of 32 inputs ahead of the products; shared memory has only what the lanes of a warp
//              tell each other, the scales of the columns, each made by one lane
#pragma once

#include "codegen/kernels/linear/minimum_terms.cuh"
#include "codegen/kernels/linear/prompt_tile.cuh"

namespace llcuda {

/// Who adds what minimums do.
enum class MinimumSums {
  kNone,
  kTerms,   ///< tensor cores, of two units at once
  kOfHalves ///< lanes, with sums of 16 codes
};

/// What ColumnScales has for it.
template <MinimumSums kSums, int kStep, int kColumns>
struct ColumnMinimums {};
template <int kStep, int kColumns>
struct ColumnMinimums<MinimumSums::kTerms, kStep, kColumns> {
  uint4 terms[kStep / 2][kColumns]; ///< of two units, for each t
};
template <int kStep, int kColumns>
struct ColumnMinimums<MinimumSums::kOfHalves, kStep, kColumns> {
  float minimums[kStep][kColumns][2];
};

template <WeightLayout kLayout, int kK, typename Tile>
struct Int8Product {
  using Traits = WeightTraits<kLayout, kK>;
  using Piece = typename Traits::Piece;
  using Scale = typename Traits::Scale;
  static constexpr int kDown = Tile::kDown, kAcross = Tile::kAcross, kDeep = Tile::kWarpsDeep;
  static constexpr int kOwn = kAcross / 4; ///< columns whose scales a lane makes
  static constexpr int kUnits = kK / 32;
  static constexpr int kHalves = 32 / Traits::kScaleStep; ///< of a unit that have a scale of their own
  /// Units of a step of the loop. What is loaded is as far ahead as registers allow.
  static constexpr int kStep = kDown <= 2 && kHalves == 1 && sizeof(Piece) == 4 && kUnits % 4 == 0 ? 4 : 2;
  static constexpr int kSteps = ceilDivide(kUnits, kStep);
  static constexpr bool kWhole = kUnits % kStep == 0; ///< else the second unit of the last step is past the end

  static constexpr MinimumSums kSums = !weightHasMinimum(kLayout) ? MinimumSums::kNone
                                       : kHalves == 2             ? MinimumSums::kOfHalves
                                                                  : MinimumSums::kTerms;

  /// What the lanes of a warp tell each other of a step: weight = scale * code + minimum.
  struct alignas(16) ColumnScales : ColumnMinimums<kSums, kStep, Tile::kWarpColumns> {
    float scales[kStep][Tile::kWarpColumns][kHalves];
  };
  using Stage = ColumnScales[Tile::kThreads / kWarpSize];
  static constexpr int kSharedBytes = 2 * sizeof(Stage);

  /// The lane's operands of a unit.
  struct Operands {
    Piece pieces[kAcross];
    uint4 codes[kDown / 2];
    float2 scales[kDown / 2]; ///< of rows g and g + 8
  };

  /// Where the lane finds them, from some unit on.
  template <int kRuns>
  struct Source {
    const uint4* codes;
    const float2* scales;
    WeightPlanes planes[kRuns];
    int tiles[kDown / 2]; ///< of 16 rows, from the first one on

    LLCUDA_DEVICE void move(int units) {
      codes += units * kWarpSize;
      scales += units * kScales;
      LLCUDA_UNROLL
      for (WeightPlanes& run : planes) movePieces<kLayout, kK>(run, units);
    }
    LLCUDA_DEVICE void load(int unit, Operands& to) const {
      LLCUDA_UNROLL
      for (int n = 0; n < kAcross; ++n)
        to.pieces[n] = Traits::loadPiece(planes[n * kRuns / kAcross], 8 * (n % (kAcross / kRuns)), unit);
      LLCUDA_UNROLL
      for (int m = 0; m < kDown / 2; ++m) {
        to.codes[m] = loadReadOnly(codes + (tiles[m] * kUnits + unit) * kWarpSize);
        to.scales[m] = loadReadOnly(scales + (tiles[m] * kUnits + unit) * kScales);
      }
    }
    /// Terms of the sums of rows g and g + 8 of the unit; lanes may ask for different ones.
    LLCUDA_DEVICE void loadTerms(int unit, uint2 (&to)[kDown / 2]) const {
      const float2* const from = scales + sizeof(FragmentScales::d) / sizeof(float2) + unit * kScales;
      LLCUDA_UNROLL
      for (int m = 0; m < kDown / 2; ++m)
        to[m] = loadReadOnly(reinterpret_cast<const uint2*>(from + tiles[m] * kUnits * kScales));
    }
  };
  static constexpr int kScales = sizeof(FragmentScales) / sizeof(float2); ///< from a unit's to the next one's

  /// Of the warp's part of the block's tile, at its first unit.
  template <typename Weights>
  static LLCUDA_DEVICE auto sourceOf(const PromptRows& input, const Weights& weights) {
    constexpr int kRun = Weights::kRun;
    Source<Tile::kWarpColumns / kRun> source;
    const TileRows<Tile> rows(input.rows);
    LLCUDA_UNROLL
    for (int m = 0; m < kDown / 2; ++m) source.tiles[m] = rows.after(m);
    source.codes = reinterpret_cast<const uint4*>(input.x.codes) + rows.first * kUnits * kWarpSize + laneId();
    source.scales = input.x.scales + rows.first * kUnits * kScales + laneId() / 4;
    LLCUDA_UNROLL
    for (int run = 0; run < Tile::kWarpColumns / kRun; ++run) {
      const WeightLine line = weights.line(Tile::warpColumn() + run * kRun + laneId() / 4);
      source.planes[run] = piecePlanes<kLayout, kK>(planesOf<kLayout, kK>(line.weight, weights.rows), line.row);
    }
    source.move(minOf(Tile::depth(), kSteps - 1) * kStep);
    return source;
  }

  /// Scales of the columns that are the lane's, as memory has them.
  struct OwnScales {
    Scale at[kOwn][kStep];

    template <typename Weights>
    LLCUDA_DEVICE void load(const Weights& weights, int step) {
      LLCUDA_UNROLL
      for (int i = 0; i < kOwn; ++i) {
        const WeightLine line = weights.line(Tile::warpColumn() + i * kWarpSize + laneId());
        const WeightPlanes planes = planesOf<kLayout, kK>(line.weight, weights.rows);
        LLCUDA_UNROLL
        for (int u = 0; u < kStep; ++u) {
          const int unit = minOf(step, kSteps - 1) * kStep + u;
          at[i][u] = Traits::loadScale(planes, line.row, kWhole ? unit : minOf(unit, kUnits - 1));
        }
      }
    }

    LLCUDA_DEVICE void tell(ColumnScales& columns) const {
      LLCUDA_UNROLL
      for (int i = 0; i < kOwn; ++i) {
        const int column = i * kWarpSize + laneId();
        float minimum[kStep][kHalves];
        LLCUDA_UNROLL
        for (int u = 0; u < kStep; ++u) {
          LLCUDA_UNROLL
          for (int half = 0; half < kHalves; ++half) {
            const float2 both = Traits::scaleOf(at[i][u], half);
            columns.scales[u][column][half] = bitCast<float>(bitCast<uint32_t>(both.x) & ~3u);
            minimum[u][half] = both.y;
            if constexpr (kSums == MinimumSums::kOfHalves)
              columns.minimums[u][column][half] = both.y;
          }
        }
        if constexpr (kSums == MinimumSums::kTerms) {
          LLCUDA_UNROLL
          for (int pair = 0; pair < kStep / 2; ++pair) {
            const uint2 first = MinimumTerms::ofColumn(minimum[2 * pair][0]),
                        second = MinimumTerms::ofColumn(minimum[2 * pair + 1][0]);
            columns.terms[pair][column] = make_uint4(first.x, first.y, second.x, second.y);
          }
        }
      }
    }
  };

  /// What two neighbouring columns have of each half, from the first column on: [column][half].
  static LLCUDA_DEVICE void loadTwo(const float* from, float (&to)[2][kHalves]) {
    if constexpr (kHalves == 1) {
      const float2 both = *reinterpret_cast<const float2*>(from);
      to[0][0] = both.x, to[1][0] = both.y;
    } else {
      const float4 all = *reinterpret_cast<const float4*>(from);
      to[0][0] = all.x, to[0][1] = all.y, to[1][0] = all.z, to[1][1] = all.w;
    }
  }

  /// The codes of x as tensor cores take them.
  struct RowCodes {
    uint32_t half[2][kDown];

    explicit LLCUDA_DEVICE RowCodes(const Operands& x) {
      LLCUDA_UNROLL
      for (int m = 0; m < kDown; ++m) {
        const uint4& both = x.codes[m / 2];
        half[0][m] = m % 2 == 0 ? both.x : both.z;
        half[1][m] = m % 2 == 0 ? both.y : both.w;
      }
    }
  };

  /// products[half][m], one of both halves where they share a scale.
  using Products = int[kHalves][kDown][1][2];
  static LLCUDA_DEVICE void multiplyCodes(const RowCodes& x, const CodeWords<2>& weight, Products& products) {
    const uint32_t first[1] = {weight.word[0]}, second[1] = {weight.word[1]};
    mmaS8Tile(products[0], kBias, x.half[0], first);
    if constexpr (kHalves == 1)
      mmaS8Tile(products[0], x.half[1], second);
    else
      mmaS8Tile(products[1], kBias, x.half[1], second);
  }

  /// Adds unit `u` of the step to the warp's sums, but for the minimums of tensor cores.
  static LLCUDA_DEVICE void multiplyUnit(const Operands& operands, const ColumnScales& columns, int u,
                                         TileSums<Tile>& sums) {
    const RowCodes x(operands);
    const int column = laneId() % 4 * 2;
    float xSums[kHalves][kDown];
    if constexpr (kSums == MinimumSums::kOfHalves) {
      Products codeSums;
      multiplyCodes(x, {{0x01010101u, 0x01010101u}}, codeSums);
      LLCUDA_UNROLL
      for (int i = 0; i < kHalves * kDown; ++i)
        xSums[i / kDown][i % kDown] =
            (bitCast<float>(codeSums[i / kDown][i % kDown][0][0]) - kBiasValue) * scaleOfRow(operands, i % kDown);
    }
    LLCUDA_UNROLL
    for (int n = 0; n < kAcross; ++n) {
      Products products;
      multiplyCodes(x, Traits::pieceCodes(operands.pieces[n]), products);
      float scale[2][kHalves], minimum[2][kHalves];
      loadTwo(columns.scales[u][8 * n + column], scale);
      if constexpr (kSums == MinimumSums::kOfHalves)
        loadTwo(columns.minimums[u][8 * n + column], minimum);
      LLCUDA_UNROLL
      for (int i = 0; i < 2; ++i) {
        float unbias = 0.f;
        LLCUDA_UNROLL
        for (int half = 0; half < kHalves; ++half) unbias = fusedMultiplyAdd(-kBiasValue, scale[i][half], unbias);
        LLCUDA_UNROLL
        for (int m = 0; m < kDown; ++m) {
          float share = unbias, &sum = sums.at[m][n][i];
          LLCUDA_UNROLL
          for (int half = 0; half < kHalves; ++half)
            share = fusedMultiplyAdd(bitCast<float>(products[half][m][0][i]), scale[i][half], share);
          sum = fusedMultiplyAdd(share, scaleOfRow(operands, m), sum);
          LLCUDA_UNROLL
          for (int half = 0; kSums == MinimumSums::kOfHalves && half < kHalves; ++half)
            sum = fusedMultiplyAdd(minimum[i][half], xSums[half][m], sum);
        }
      }
    }
  }
  static LLCUDA_DEVICE float scaleOfRow(const Operands& operands, int m) {
    return m % 2 == 0 ? operands.scales[m / 2].x : operands.scales[m / 2].y;
  }

  static constexpr int kBias = 0x4b400000; ///< the bits of 1.5 * 2^23
  static constexpr float kBiasValue = 12582912.f;

  /// The terms of minimums of a step, on their way while it is multiplied.
  struct StepTerms {
    uint2 rows[kStep / 2][kDown / 2];
    uint32_t columns[kStep / 2][kAcross];

    template <typename From>
    LLCUDA_DEVICE void load(const From& source, const ColumnScales& told, bool pastEnd) {
      const int own = laneId() % 4 / 2; // unit of a pair
      LLCUDA_UNROLL
      for (int pair = 0; pair < kStep / 2; ++pair) {
        source.loadTerms(2 * pair + (pastEnd ? 0 : own), rows[pair]);
        if (pastEnd && own == 1) {
          LLCUDA_UNROLL
          for (uint2& terms : rows[pair]) terms = make_uint2(0, 0);
        }
        LLCUDA_UNROLL
        for (int n = 0; n < kAcross; ++n)
          columns[pair][n] = reinterpret_cast<const uint32_t*>(told.terms[pair] + 8 * n)[laneId()];
      }
    }
  };

  /// The sums of the block's tile; `shared` may be used for other things afterwards. All threads call.
  template <typename Weights>
  static LLCUDA_DEVICE void run(const PromptRows& input, const Weights& weights, uint4* shared, TileSums<Tile>& sums) {
    Stage* const stages = reinterpret_cast<Stage*>(shared);
    const auto columnsAt = [&](int offset) -> ColumnScales& {
      return *reinterpret_cast<ColumnScales*>(reinterpret_cast<uint8_t*>(stages[0] + warpId()) + offset);
    };
    auto source = sourceOf(input, weights);
    Operands operands[kStep];
    OwnScales scales;
    LLCUDA_UNROLL
    for (int u = 0; u < kStep - 1; ++u) source.load(u, operands[u]);
    scales.load(weights, Tile::depth());
    scales.tell(columnsAt(0));
    scales.load(weights, Tile::depth() + kDeep);
    LLCUDA_NO_UNROLL
    for (int step = Tile::depth(), offset = 0; step < kSteps; step += kDeep) {
      const ColumnScales& columns = columnsAt(offset);
      offset = static_cast<int>(sizeof(Stage)) - offset;
      syncWarp();
      const bool pastEnd = !kWhole && step == kSteps - 1;
      source.load(pastEnd ? 0 : kStep - 1, operands[kStep - 1]);
      if (pastEnd) {
        LLCUDA_UNROLL
        for (float2& scale : operands[kStep - 1].scales) scale = make_float2(0.f, 0.f);
      }
      StepTerms terms;
      if constexpr (kSums == MinimumSums::kTerms)
        terms.load(source, columns, pastEnd);
      scales.tell(columnsAt(offset));
      scales.load(weights, step + 2 * kDeep);
      multiplyUnit(operands[0], columns, 0, sums);
      source.move(step + kDeep < kSteps ? kStep * kDeep : 0); // past the last step nothing new
      LLCUDA_UNROLL
      for (int u = 1; u < kStep; ++u) {
        source.load(u - 1, operands[u - 1]);
        multiplyUnit(operands[u], columns, u, sums);
      }
      LLCUDA_UNROLL
      for (int pair = 0; kSums == MinimumSums::kTerms && pair < kStep / 2; ++pair)
        MinimumTerms::add(terms.rows[pair], terms.columns[pair], sums.at);
    }
    if (kDeep > 1)
      syncThreads();
  }
};

} // namespace llcuda
