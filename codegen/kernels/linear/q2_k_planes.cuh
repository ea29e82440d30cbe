// SPDX-License-Identifier: Apache-2.0
// q2_k_planes: weight = d * scale * code - dmin * min, scale and min of 16 weights, four bits each.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ2_KPlanes, kColumns> {
  static constexpr int kUnit = 32, kAhead = 8, kScaleStep = 16;
  struct Input {
    Int8Input row;
    float firstSum, secondSum; ///< d * sum of each half: the mins are those of halves
  };
  struct Unit {
    uint2 codes;
    WordPart scales; ///< two bytes, scale low and min high
    uint32_t d;      ///< d, dmin
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(reinterpret_cast<const uint2*>(planes.codes) + row * (kColumns / 32) + unit),
            loadWordPart<2, kColumns / 32>(planes.scales, row, unit),
            loadStream(reinterpret_cast<const uint32_t*>(planes.supers) + row * (kColumns / 256) + unit / 8)};
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    constexpr uint32_t kOnes = 0x01010101u;
    const Int8Input x = loadInt8Input<kColumns>(rows, row, unit);
    const int first = dotS8(make_uint4(kOnes, kOnes, kOnes, kOnes), x.x0);
    const int second = dotS8(make_uint4(kOnes, kOnes, kOnes, kOnes), x.x1);
    return {x, x.scale.x * static_cast<float>(first), x.scale.x * static_cast<float>(second)};
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x) {
    const CodeWords<8> c = codes(w);
    const int sum = scaleOf(w, 0) * dotCodes<0>(c, x.row.x0) + scaleOf(w, 1) * dotCodes<4>(c, x.row.x1);
    const float mins = static_cast<float>(minOf(w, 0)) * x.firstSum + static_cast<float>(minOf(w, 1)) * x.secondSum;
    const float2 d = halvesOf(w.d);
    return d.x * x.row.scale.x * static_cast<float>(sum) - d.y * mins;
  }
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) {
    CodeWords<8> codes = {};
    addPairs<0>(codes, w.codes);
    return codes;
  }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int part) {
    const float2 d = halvesOf(w.d);
    return make_float2(d.x * static_cast<float>(scaleOf(w, part)), -(d.y * static_cast<float>(minOf(w, part))));
  }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }

private:
  static LLCUDA_DEVICE int scaleOf(const Unit& w, int part) {
    return static_cast<int>(w.scales.bits() >> (8 * part) & 15);
  }
  static LLCUDA_DEVICE int minOf(const Unit& w, int part) {
    return static_cast<int>(w.scales.bits() >> (8 * part + 4) & 15);
  }
};

} // namespace llcuda
