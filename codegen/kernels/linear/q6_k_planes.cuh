// SPDX-License-Identifier: Apache-2.0
// q6_k_planes: weight = d * scale * code, a code of six bits with its sign, scale of 16 weights.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ6_KPlanes, kColumns> {
  static constexpr int kUnit = 32, kAhead = 4, kScaleStep = 16;
  using Input = Int8Input;
  struct Unit {
    uint4 codes;
    uint2 high;
    WordPart scales; ///< two signed bytes
    uint32_t d;      ///< an f32
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(reinterpret_cast<const uint4*>(planes.codes) + row * (kColumns / 32) + unit),
            loadStream(reinterpret_cast<const uint2*>(planes.high) + row * (kColumns / 32) + unit),
            loadWordPart<2, kColumns / 32>(planes.scales, row, unit),
            loadStream(reinterpret_cast<const uint32_t*>(planes.supers) + row * (kColumns / 256) + unit / 8)};
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    return loadInt8Input<kColumns>(rows, row, unit);
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x) {
    const CodeWords<8> c = codes(w);
    const uint32_t scales = w.scales.bits();
    const int sum = signedByte(scales, 0) * dotCodes<0>(c, x.x0) + signedByte(scales, 1) * dotCodes<4>(c, x.x1);
    return bitCast<float>(w.d) * 0.25f * x.scale.x * static_cast<float>(sum);
  }
  /// 4 * code
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) {
    CodeWords<8> codes = nibblesAt<2>(w.codes);
    addPairs<6>(codes, w.high);
    return codes;
  }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int part) {
    return make_float2(bitCast<float>(w.d) * 0.25f * static_cast<float>(signedByte(w.scales.bits(), part)), 0.f);
  }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }
};

} // namespace llcuda
