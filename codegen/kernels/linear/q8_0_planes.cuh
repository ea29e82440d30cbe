// SPDX-License-Identifier: Apache-2.0
// q8_0_planes: weight = d * code. A unit is half a block, so that the lanes of a warp read 16 bytes side by side.
#pragma once

#include "codegen/kernels/linear/weight_traits.cuh"

namespace llcuda {

template <int kColumns>
struct WeightTraits<WeightLayout::kQ8_0Planes, kColumns> {
  static constexpr int kUnit = 16;
  static constexpr int kBlocks = kColumns / 32;
  struct Input {
    int4 x;
    float scale;
  };
  struct Unit {
    uint4 codes;
    uint16_t scale;
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(reinterpret_cast<const uint4*>(planes.codes) + row * (2 * kBlocks) + unit),
            loadStream(reinterpret_cast<const uint16_t*>(planes.scales) + row * kBlocks + unit / 2)};
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    return {loadReadOnly(reinterpret_cast<const int4*>(rows.codes + row * kColumns) + unit),
            loadReadOnly(rows.scales + row * kBlocks + unit / 2).x};
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x) {
    return toFloat(Half{w.scale}) * x.scale * static_cast<float>(dotS8(w.codes, x.x));
  }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    const uint8_t* codes = planes.codes + static_cast<uint64_t>(row) * kColumns + column;
    const int word = loadReadOnly(reinterpret_cast<const int*>(codes));
    const float d = toFloat(loadReadOnlyHalf(planes.scales, static_cast<uint64_t>(row) * kBlocks + column / 32));
    return make_float4(d * static_cast<float>(static_cast<int8_t>(word)),
                       d * static_cast<float>(static_cast<int8_t>(word >> 8)),
                       d * static_cast<float>(static_cast<int8_t>(word >> 16)), d * static_cast<float>(word >> 24));
  }
};

} // namespace llcuda
