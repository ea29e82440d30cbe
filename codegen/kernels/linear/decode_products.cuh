// SPDX-License-Identifier: Apache-2.0
// Products of a unit of weights with rows of x where a lane has a row of each tile, and what those of tensor cores have
// in common with them. x is read by loads that are the same in all lanes of a warp.
//
//   numerics  of int8 codes the sums of 32 products (16 where these share a scale) are exact, and a unit adds to a
//             total by one formula, addUnit, whose multiply-adds are stated: no compiler contracts one otherwise
#pragma once

#include "codegen/kernels/linear/decode_rows.cuh"

namespace llcuda {

/// Planes and rows of x from a block of inputs on.
template <WeightLayout kLayout>
LLCUDA_DEVICE WeightPlanes movedBy(const WeightPlanes& planes, int blocks) {
  constexpr WeightBlockBytes kBytes = weightBlockBytes(kLayout);
  const auto moved = [&](const uint8_t* plane, unsigned bytes) {
    return plane + static_cast<int64_t>(blocks) * (kWeightTileRows * bytes);
  };
  return {moved(planes.codes, kBytes.codes), moved(planes.high, kBytes.high), moved(planes.scales, kBytes.scales),
          moved(planes.supers, kBytes.supers)};
}
/// Of kRows rows.
template <int kRows>
LLCUDA_DEVICE InputRows movedBy(const InputRows& rows, int inputs) {
  constexpr int kCodes = codesStep(fewRowsOrder(kRows)) / kRowBlock;
  constexpr int kScales = scalesStep(fewRowsOrder(kRows)) / sizeof(float2);
  return {rows.x + inputs, rows.codes + inputs * kCodes, rows.scales + inputs / kRowBlock * kScales};
}

/// Sums of a slice in shared memory, [row of x][row of the weight].
constexpr int kSliceStride = kDecodeRows + 4; ///< what lanes of tensor cores store lies in other banks

/// The sums of a lane that has a row of the weight.
template <int kM>
struct LaneSums {
  float of[kM];

  LLCUDA_DEVICE void store(float* slice) const {
    LLCUDA_UNROLL
    for (int b = 0; b < kM; ++b) slice[b * kSliceStride + laneId()] = of[b];
  }
};

/// What a sum of products of codes starts at: with it the sum, of a magnitude below 2^22, is the bits of a float.
constexpr int kSumBase = 0x4b400000;

LLCUDA_DEVICE float sumOf(int based) {
  return bitCast<float>(based) - 12582912.f;
}

/// Of a row of x: the scale of its 32 codes and, for each kScaleStep of them, scale * sum.
template <int kParts>
struct UnitInput {
  float d, sums[kParts];
};

/// total + d * (sum over the parts of scale * sum of products) + the sum of minimum * x.
template <bool kMinimum, int kParts>
LLCUDA_DEVICE float addUnit(float total, const int (&based)[kParts], const float2 (&scales)[kParts],
                            const UnitInput<kParts>& x) {
  float product = scales[0].x * sumOf(based[0]);
  LLCUDA_UNROLL
  for (int p = 1; p < kParts; ++p) product = fusedMultiplyAdd(scales[p].x, sumOf(based[p]), product);
  total = fusedMultiplyAdd(x.d, product, total);
  if constexpr (kMinimum) {
    LLCUDA_UNROLL
    for (int p = 0; p < kParts; ++p) total = fusedMultiplyAdd(scales[p].y, x.sums[p], total);
  }
  return total;
}

/// The parts of 32 int8 codes that have a scale of their own, and whether minimums want sums of each.
template <WeightLayout kLayout>
struct Int8Parts {
  static constexpr int kParts = static_cast<int>(weightScalesOf32(kLayout));
  static constexpr bool kMinimum = weightHasMinimum(kLayout), kSumsOfParts = kMinimum && kParts > 1;
  static constexpr uint32_t kOnes = 0x01010101u;
};

/// Scales as they are loaded: of one unit, or where 256 weights have a record, of all of theirs.
template <typename Traits>
struct UnitScales {
  static constexpr int kUnits = 1;
  using Scales = typename Traits::Scale;
  static LLCUDA_DEVICE Scales load(const WeightPlanes& planes, int row, int unit) {
    return Traits::loadScale(planes, row, unit);
  }
  static LLCUDA_DEVICE Scales at(const Scales& scale, int) { return scale; }
};
template <typename Traits>
requires requires {
  typename Traits::Record;
}
struct UnitScales<Traits> {
  static constexpr int kUnits = 8;
  using Scales = typename Traits::Record;
  static LLCUDA_DEVICE Scales load(const WeightPlanes& planes, int row, int record) {
    return Traits::loadRecord(planes, row, record);
  }
  static LLCUDA_DEVICE typename Traits::Scale at(const Scales& record, int unit) {
    return Traits::scaleAt(record, unit);
  }
};

/// {scale, minimum} of each part of unit `at` of those whose scales are `scales`.
template <typename Traits, int kParts>
LLCUDA_DEVICE void unitScales(const typename UnitScales<Traits>::Scales& scales, int at, float2 (&to)[kParts]) {
  LLCUDA_UNROLL
  for (int p = 0; p < kParts; ++p) to[p] = Traits::scaleOf(UnitScales<Traits>::at(scales, at), p);
}

/// Of layouts with int8 codes. `row` is the lane's.
template <WeightLayout kLayout, int kK, int kM>
struct Int8RowProduct {
  using Traits = WeightTraits<kLayout, kK>;
  using Parts = Int8Parts<kLayout>;
  static constexpr int kParts = Parts::kParts;
  static constexpr int kUnits = kK / 32, kBlockUnits = static_cast<int>(weightBlockBytes(kLayout).columns) / 32;
  static constexpr int kScaleUnits = UnitScales<Traits>::kUnits, kLoads = 32 / Traits::kUnit;
  struct Codes {
    typename Traits::Unit units[kLoads];
  };
  using Scales = typename UnitScales<Traits>::Scales;
  using Sums = LaneSums<kM>;
  WeightPlanes planes;
  int row;
  InputRows x;

  static LLCUDA_DEVICE Int8RowProduct from(const WeightPlanes& planes, int firstRow, const InputRows& x) {
    return {planes, firstRow + laneId(), x};
  }
  LLCUDA_DEVICE Int8RowProduct at(int unit) const {
    return {movedBy<kLayout>(planes, unit / kBlockUnits), row, movedBy<kM>(x, unit * 32)};
  }
  LLCUDA_DEVICE Codes load(int unit) const {
    Codes codes;
    LLCUDA_UNROLL
    for (int i = 0; i < kLoads; ++i) codes.units[i] = Traits::load(planes, row, unit * kLoads + i);
    return codes;
  }
  LLCUDA_DEVICE Scales loadScales(int group) const { return UnitScales<Traits>::load(planes, row, group); }

  LLCUDA_DEVICE void multiply(int unit, const Codes& codes, const Scales& scales, Sums& sums) const {
    const CodeWords<8> words = wordsOf(codes);
    float2 own[kParts];
    unitScales<Traits>(scales, unit % kScaleUnits, own);
    LLCUDA_UNROLL
    for (int b = 0; b < kM; ++b) {
      const Int8Input input = loadInt8Input<kK, kM>(x, b, unit);
      int based[kParts];
      based[0] = dotCodes<0>(words, input.x0, kSumBase);
      if constexpr (kParts == 1)
        based[0] = dotCodes<4>(words, input.x1, based[0]);
      else
        based[1] = dotCodes<4>(words, input.x1, kSumBase);
      sums.of[b] = addUnit<Parts::kMinimum>(sums.of[b], based, own, unitInput(input));
    }
  }

private:
  static LLCUDA_DEVICE CodeWords<8> wordsOf(const Codes& codes) {
    if constexpr (kLoads == 1) {
      return Traits::codes(codes.units[0]);
    } else {
      const CodeWords<4> low = Traits::codes(codes.units[0]), high = Traits::codes(codes.units[1]);
      return {
          {low.word[0], low.word[1], low.word[2], low.word[3], high.word[0], high.word[1], high.word[2], high.word[3]}};
    }
  }
  static LLCUDA_DEVICE UnitInput<kParts> unitInput(const Int8Input& input) {
    UnitInput<kParts> unit = {input.scale.x, {}};
    unit.sums[0] = input.scale.y;
    if constexpr (Parts::kSumsOfParts) {
      constexpr CodeWords<4> kOnes = {{Parts::kOnes, Parts::kOnes, Parts::kOnes, Parts::kOnes}};
      unit.sums[0] = unit.d * sumOf(dotCodes(kOnes, input.x0, kSumBase));
      unit.sums[1] = unit.d * sumOf(dotCodes(kOnes, input.x1, kSumBase));
    }
    return unit;
  }
};

/// Of layouts of floats and of tables of two bytes, whose traits multiply.
template <WeightLayout kLayout, int kK, int kM>
struct DotRowProduct {
  using Traits = WeightTraits<kLayout, kK>;
  static constexpr int kUnits = kK / Traits::kUnit, kScaleUnits = 1;
  static constexpr int kBlockUnits = static_cast<int>(weightBlockBytes(kLayout).columns) / Traits::kUnit;
  using Codes = typename Traits::Unit;
  struct Scales {};
  using Sums = LaneSums<kM>;
  WeightPlanes planes;
  int row;
  InputRows x;

  static LLCUDA_DEVICE DotRowProduct from(const WeightPlanes& planes, int firstRow, const InputRows& x) {
    return {planes, firstRow + laneId(), x};
  }
  LLCUDA_DEVICE DotRowProduct at(int unit) const {
    return {movedBy<kLayout>(planes, unit / kBlockUnits), row, movedBy<kM>(x, unit * Traits::kUnit)};
  }
  LLCUDA_DEVICE Codes load(int unit) const { return Traits::load(planes, row, unit); }
  LLCUDA_DEVICE Scales loadScales(int) const { return {}; }

  LLCUDA_DEVICE void multiply(int unit, const Codes& codes, const Scales&, Sums& sums) const {
    LLCUDA_UNROLL
    for (int b = 0; b < kM; ++b) sums.of[b] = Traits::dot(codes, loadInput(b, unit), sums.of[b]);
  }

private:
  LLCUDA_DEVICE typename Traits::Input loadInput(int b, int unit) const {
    if constexpr (requires { Traits::loadInput(x, b, unit); })
      return Traits::loadInput(x, b, unit);
    else
      return loadInt8Input<kK, kM>(x, b, unit);
  }
};

} // namespace llcuda
