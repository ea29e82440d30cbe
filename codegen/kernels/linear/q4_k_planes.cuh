// SPDX-License-Identifier: Apache-2.0
// q4_k_planes: weight = d * scale * code - dmin * min, scale and min of 32 weights.
#pragma once

#include "codegen/kernels/linear/six_bit_record.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ4_KPlanes, kColumns> {
  static constexpr int kUnit = 32, kAhead = 4, kScaleStep = 32;
  using Input = Int8Input;
  struct Unit {
    uint4 codes;
    SixBitRecord record;
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(reinterpret_cast<const uint4*>(planes.codes) + row * (kColumns / 32) + unit),
            SixBitRecord::load<kColumns>(planes.scales, row, unit)};
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    return loadInt8Input<kColumns>(rows, row, unit);
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x) {
    return dotWithRecord(w.record, dotQ4(w.codes, x.x0, x.x1), x.scale);
  }
  static LLCUDA_DEVICE CodeWords<8> codes(const Unit& w) { return nibbleCodes(w.codes); }
  static LLCUDA_DEVICE float2 scale(const Unit& w, int) { return scaleOfRecord(w.record); }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return fourOfUnit<WeightTraits>(planes, row, column);
  }
};

} // namespace llcuda
