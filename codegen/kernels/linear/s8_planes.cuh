// SPDX-License-Identifier: Apache-2.0
// s8_planes: weight = scale * code, an f32 scale for each 16 weights.
#pragma once

#include "codegen/kernels/linear/weight_traits.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kS8Planes, kColumns> {
  static constexpr auto kLayout = WeightLayout::kS8Planes;
  static constexpr int kUnit = 16, kScaleStep = 16;
  using Scale = uint2; ///< two f32
  struct Unit {
    uint4 codes;
    float scale;
  };
  using Piece = CodeWords<2>;

  static LLCUDA_DEVICE Scale loadScale(const WeightPlanes& planes, int row, int unit) {
    return loadStream(granuleOf<uint2, kLayout, kColumns, WeightPlane::kScales>(planes, row, unit));
  }
  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    const uint32_t* scales = granuleOf<uint32_t, kLayout, kColumns, WeightPlane::kScales>(planes, row, unit / 2);
    return {loadStream(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit)),
            bitCast<float>(loadStream(scales + unit % 2))};
  }
  static LLCUDA_DEVICE Piece loadPiece(const WeightPlanes& planes, int row, int unit) {
    return loadBytePiece<kLayout, kColumns>(planes, row, unit);
  }
  static LLCUDA_DEVICE CodeWords<4> codes(const Unit& w) { return {{w.codes.x, w.codes.y, w.codes.z, w.codes.w}}; }
  static LLCUDA_DEVICE CodeWords<2> pieceCodes(const Piece& piece) { return piece; }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int) { return make_float2(w.scale, 0.f); }
  static LLCUDA_DEVICE float2 scaleOf(const Scale& scales, int part) {
    return make_float2(bitCast<float>(part == 0 ? scales.x : scales.y), 0.f);
  }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }
};

} // namespace llcuda
