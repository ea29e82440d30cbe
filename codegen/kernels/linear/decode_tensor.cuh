// SPDX-License-Identifier: Apache-2.0
// Products of a unit of int8 codes with up to 8 rows of x by tensor cores: in each m8n8k16 eight rows of the weight
// meet the rows of x. A lane has the codes and sums of rows lane / 4, + 8, + 16 and + 24 of a tile, the sums with rows
// 2 (lane % 4) and + 1 of x, and the scales of row `lane`, which it hands to those who multiply with them.
//
//   numerics  those of Int8RowProduct, bit by bit
//   sm_75     a warp's load of codes is one line of 128 bytes; with 8 rows 2.2 times the instructions of one
#pragma once

#include "codegen/kernels/linear/decode_products.cuh"
#include "codegen/kernels/ptx/mma.cuh"

namespace llcuda {

template <WeightLayout kLayout, int kK, int kM>
struct Int8TensorProduct {
  using Traits = WeightTraits<kLayout, kK>;
  using Parts = Int8Parts<kLayout>;
  static constexpr int kParts = Parts::kParts, kFragments = kDecodeRows / 8;
  static constexpr int kUnits = kK / 32, kBlockUnits = static_cast<int>(weightBlockBytes(kLayout).columns) / 32;
  static constexpr int kScaleUnits = UnitScales<Traits>::kUnits;
  static_assert(fewRowsOrder(kM) == RowOrder::kEightRows && kM <= kEightRows, "rows of a fragment");
  struct Codes {
    typename Traits::Piece pieces[kFragments];
  };
  using Scales = typename UnitScales<Traits>::Scales;
  struct Sums {
    float of[kFragments][2];

    LLCUDA_DEVICE void store(float* slice) const {
      LLCUDA_UNROLL
      for (int f = 0; f < kFragments; ++f) {
        LLCUDA_UNROLL
        for (int i = 0; i < 2; ++i)
          if (const int b = 2 * pieceLane() + i; b < kM)
            slice[b * kSliceStride + 8 * f + laneId() / 4] = of[f][i];
      }
    }
  };
  WeightPlanes planes;
  int firstRow;
  InputRows x;

  static LLCUDA_DEVICE Int8TensorProduct from(const WeightPlanes& planes, int firstRow, const InputRows& x) {
    return {planes, firstRow, x};
  }
  LLCUDA_DEVICE Int8TensorProduct at(int unit) const {
    return {movedBy<kLayout>(planes, unit / kBlockUnits), firstRow, movedBy<kM>(x, unit * 32)};
  }
  LLCUDA_DEVICE Codes load(int unit) const {
    Codes codes;
    LLCUDA_UNROLL
    for (int f = 0; f < kFragments; ++f)
      codes.pieces[f] = Traits::loadPiece(planes, firstRow + 8 * f + laneId() / 4, unit);
    return codes;
  }
  LLCUDA_DEVICE Scales loadScales(int group) const {
    return UnitScales<Traits>::load(planes, firstRow + laneId(), group);
  }

  LLCUDA_DEVICE void multiply(int unit, const Codes& codes, const Scales& scales, Sums& sums) const {
    const uint2 words = loadReadOnly(reinterpret_cast<const uint2*>(x.codes) + unit * kWarpSize + laneId());
    const uint32_t right[2][1] = {{words.x}, {words.y}};
    UnitInput<kParts> inputs[2];
    loadInputs(unit, right, inputs);
    int based[kParts][kFragments][1][2];
    multiplyTile(codes, right, based);
    float2 own[kParts];
    unitScales<Traits>(scales, unit % kScaleUnits, own);
    LLCUDA_UNROLL
    for (int f = 0; f < kFragments; ++f) {
      float2 of[kParts];
      LLCUDA_UNROLL
      for (int p = 0; p < kParts; ++p) {
        of[p].x = shuffle(own[p].x, 8 * f + laneId() / 4);
        of[p].y = Parts::kMinimum ? shuffle(own[p].y, 8 * f + laneId() / 4) : 0.f;
      }
      LLCUDA_UNROLL
      for (int i = 0; i < 2; ++i) {
        int sum[kParts];
        LLCUDA_UNROLL
        for (int p = 0; p < kParts; ++p) sum[p] = based[p][f][0][i];
        sums.of[f][i] = addUnit<Parts::kMinimum>(sums.of[f][i], sum, of, inputs[i]);
      }
    }
  }

private:
  /// Products of a tile, of the two halves of the unit together or each by itself.
  static LLCUDA_DEVICE void multiplyTile(const Codes& codes, const uint32_t (&right)[2][1],
                                         int (&based)[kParts][kFragments][1][2]) {
    uint32_t left[2][kFragments];
    LLCUDA_UNROLL
    for (int f = 0; f < kFragments; ++f) {
      const CodeWords<2> words = Traits::pieceCodes(codes.pieces[f]);
      left[0][f] = words.word[0], left[1][f] = words.word[1];
    }
    mmaS8Tile(based[0], kSumBase, left[0], right[0]);
    if constexpr (kParts == 1)
      mmaS8Tile(based[0], left[1], right[1]);
    else
      mmaS8Tile(based[1], kSumBase, left[1], right[1]);
  }

  /// Of the lane's two rows of x.
  LLCUDA_DEVICE void loadInputs(int unit, const uint32_t (&right)[2][1], UnitInput<kParts> (&inputs)[2]) const {
    int ones[2][1][1][2] = {};
    if constexpr (Parts::kSumsOfParts) {
      const uint32_t left[1] = {Parts::kOnes};
      mmaS8Tile(ones[0], kSumBase, left, right[0]);
      mmaS8Tile(ones[1], kSumBase, left, right[1]);
    }
    const float4 both = loadReadOnly(reinterpret_cast<const float4*>(x.scales) + unit * (kEightRows / 2) + pieceLane());
    LLCUDA_UNROLL
    for (int i = 0; i < 2; ++i) {
      const float2 scale = i == 0 ? make_float2(both.x, both.y) : make_float2(both.z, both.w);
      inputs[i] = {scale.x, {}};
      inputs[i].sums[0] = scale.y;
      if constexpr (Parts::kSumsOfParts) {
        LLCUDA_UNROLL
        for (int p = 0; p < kParts; ++p) inputs[i].sums[p] = scale.x * sumOf(ones[p][0][0][i]);
      }
    }
  }
};

} // namespace llcuda
