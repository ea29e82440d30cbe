// SPDX-License-Identifier: Apache-2.0
// tq2_0_planes: weight = d * (code - 1), a d for 256 weights. The 1 is taken from the stored sum of the input's codes.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kTQ2_0Planes, kColumns> {
  static constexpr int kUnit = 32, kAhead = 8, kScaleStep = 32;
  using Input = Int8Input;
  struct Unit {
    uint2 codes;
    WordPart d;
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(reinterpret_cast<const uint2*>(planes.codes) + row * (kColumns / 32) + unit),
            loadWordPart<2, kColumns / 256>(planes.scales, row, unit / 8)};
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    return loadInt8Input<kColumns>(rows, row, unit);
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x) {
    const float sum = static_cast<float>(dotCodes(storedCodes(w), x));
    return w.d.half() * (x.scale.x * sum - x.scale.y);
  }
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) {
    constexpr uint32_t kSign = 0x80808080u, kOne = 0x01010101u;
    CodeWords<8> codes = storedCodes(w);
    LLCUDA_UNROLL
    for (uint32_t& word : codes.word) word = ((word | kSign) - kOne) ^ kSign; // no byte borrows from the next
    return codes;
  }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int) { return make_float2(w.d.half(), 0.f); }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }

private:
  /// 0 ... 3
  static LLCUDA_DEVICE CodeWords<8> storedCodes(const Unit& w) {
    CodeWords<8> codes = {};
    addPairs<0>(codes, w.codes);
    return codes;
  }
};

} // namespace llcuda
