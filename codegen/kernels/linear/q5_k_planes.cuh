// SPDX-License-Identifier: Apache-2.0
// q5_k_planes: weight = d * scale * code - dmin * min, scale and min of 32 weights.
#pragma once

#include "codegen/kernels/linear/bit_planes.cuh"
#include "codegen/kernels/linear/six_bit_record.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ5_KPlanes, kColumns> {
  static constexpr int kUnit = 32, kAhead = 4, kScaleStep = 32;
  using Input = Int8Input;
  struct Unit {
    uint4 codes;
    uint32_t high;
    SixBitRecord record;
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(reinterpret_cast<const uint4*>(planes.codes) + row * (kColumns / 32) + unit),
            loadStream(reinterpret_cast<const uint32_t*>(planes.high) + row * (kColumns / 32) + unit),
            SixBitRecord::load<kColumns>(planes.scales, row, unit)};
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    return loadInt8Input<kColumns>(rows, row, unit);
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x) {
    return dotWithRecord(w.record, dotCodes(codes(w), x), x.scale);
  }
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) {
    CodeWords<8> codes = nibblesAt<0>(w.codes);
    addBits<4>(codes, w.high);
    return codes;
  }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int) { return scaleOfRecord(w.record); }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }
};

} // namespace llcuda
