// SPDX-License-Identifier: Apache-2.0
// f16_rows and f32_rows: 16 bytes of weights times f32 elements, sums in f32.
#pragma once

#include "codegen/kernels/linear/weight_traits.cuh"

namespace llcuda {

LLCUDA_DEVICE float4 loadFour(const float* x) {
  return loadReadOnly(reinterpret_cast<const float4*>(x));
}

/// start + a . b
LLCUDA_DEVICE float dotFour(float4 a, float4 b, float start = 0.f) {
  return fusedMultiplyAdd(a.x, b.x,
                          fusedMultiplyAdd(a.y, b.y, fusedMultiplyAdd(a.z, b.z, fusedMultiplyAdd(a.w, b.w, start))));
}

template <int kColumns>
struct WeightTraits<WeightLayout::kF16Rows, kColumns> {
  static constexpr auto kLayout = WeightLayout::kF16Rows;
  static constexpr int kUnit = 8;
  static constexpr int kHalvesStep = 2 * kWeightTileRows * 16; ///< bytes from 16 columns of a tile of rows to the next
  struct Input {
    float4 x0, x1;
  };
  struct Unit {
    uint4 codes;
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit))};
  }
  using Halves = uint2;
  /// Lane q of four has half of granule q / 2 of the two that 16 weights are.
  static LLCUDA_DEVICE WeightPlanes halvesFrom(const WeightPlanes& planes, int row) {
    const int q = pieceLane();
    return {granuleOf<uint8_t, kLayout, kColumns, WeightPlane::kCodes>(planes, row, q / 2) + q % 2 * 8, nullptr,
            nullptr, nullptr};
  }
  static LLCUDA_DEVICE void moveHalves(WeightPlanes& from, int units) { from.codes += units * kHalvesStep; }
  static LLCUDA_DEVICE Halves loadHalves(const WeightPlanes& from, int row, int unit) {
    return loadReadOnly(reinterpret_cast<const uint2*>(from.codes + unit * kHalvesStep + row * 16));
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    const float* x = rows.x + row * kColumns + 8 * unit;
    return {loadFour(x), loadFour(x + 4)};
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x, float start) {
    const float2 a = halvesOf(w.codes.x), b = halvesOf(w.codes.y), c = halvesOf(w.codes.z), d = halvesOf(w.codes.w);
    return start + dotFour(make_float4(a.x, a.y, b.x, b.y), x.x0, dotFour(make_float4(c.x, c.y, d.x, d.y), x.x1));
  }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    const uint2* halves = granuleOf<uint2, kLayout, kColumns, WeightPlane::kCodes>(planes, row, column / 8);
    const uint2 words = loadReadOnly(halves + column % 8 / 4);
    const float2 a = halvesOf(words.x), b = halvesOf(words.y);
    return make_float4(a.x, a.y, b.x, b.y);
  }
};

template <int kColumns>
struct WeightTraits<WeightLayout::kF32Rows, kColumns> {
  static constexpr auto kLayout = WeightLayout::kF32Rows;
  static constexpr int kUnit = 4;
  struct Input {
    float4 x;
  };
  struct Unit {
    uint4 codes;
  };

  static LLCUDA_DEVICE Unit load(const WeightPlanes& planes, int row, int unit) {
    return {loadStream(granuleOf<uint4, kLayout, kColumns, WeightPlane::kCodes>(planes, row, unit))};
  }
  static LLCUDA_DEVICE Input loadInput(const InputRows& rows, int row, int unit) {
    return {loadFour(rows.x + row * kColumns + 4 * unit)};
  }
  static LLCUDA_DEVICE float dot(const Unit& w, const Input& x, float start) {
    return start + dotFour(bitCast<float4>(w.codes), x.x);
  }
  static LLCUDA_DEVICE float4 four(const WeightPlanes& planes, int row, int column) {
    return loadFour(granuleOf<float, kLayout, kColumns, WeightPlane::kCodes>(planes, row, column / 4));
  }
};

} // namespace llcuda
