// SPDX-License-Identifier: Apache-2.0
// q3_k_planes: weight = d * (scale - 32) * code, a code of three bits with its sign, scale of 16 weights.
//
// The 12 bytes of the scales of 256 weights: two words of nibbles, nibble g the low four bits of scale g, and a word of
// pairs, pair g its upper two.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ3_KPlanes, kColumns> {
  static constexpr int kUnit = 32, kAhead = 4, kScaleStep = 16;
  using Input = Int8Input;
  struct Unit {
    uint2 codes;
    uint32_t high;
    uint32_t lowScales;   ///< the word of nibbles that has those of the unit
    uint32_t upperScales; ///< the word of pairs
    int group;            ///< of 8 units
    WordPart d;
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    const int super = row * (kColumns / 256) + unit / 8, group = unit % 8;
    const uint32_t* scales = reinterpret_cast<const uint32_t*>(planes.scales) + super * 3;
    return {loadStream(reinterpret_cast<const uint2*>(planes.codes) + row * (kColumns / 32) + unit),
            loadStream(reinterpret_cast<const uint32_t*>(planes.high) + row * (kColumns / 32) + unit),
            loadStream(scales + group / 4),
            loadStream(scales + 2),
            group,
            loadWordPart<2, kColumns / 256>(planes.supers, row, unit / 8)};
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    return loadInt8Input<kColumns>(rows, row, unit);
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x) {
    const CodeWords<8> c = codes(w);
    const int sum = scaleOf(w, 0) * dotCodes<0>(c, x.x0) + scaleOf(w, 1) * dotCodes<4>(c, x.x1);
    return w.d.half() * 0.03125f * x.scale.x * static_cast<float>(sum);
  }
  /// 32 * code
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) {
    CodeWords<8> codes = {};
    addPairs<5>(codes, w.codes);
    addBits<7>(codes, w.high);
    return codes;
  }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int part) {
    return make_float2(w.d.half() * 0.03125f * static_cast<float>(scaleOf(w, part)), 0.f);
  }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }

private:
  static LLCUDA_DEVICE int scaleOf(const Unit& w, int part) {
    const uint32_t low = w.lowScales >> (8 * (w.group & 3)), upper = w.upperScales >> (4 * w.group);
    return static_cast<int>((low >> (4 * part) & 15) | (upper >> (2 * part) & 3) << 4) - 32;
  }
};

} // namespace llcuda
