// SPDX-License-Identifier: Apache-2.0
// Makes f16 rows, of codegen/formats/half_rows.h: four elements a lane.
#pragma once

#include "codegen/formats/half_rows.h"
#include "codegen/kernels/ptx/half.cuh"
#include "codegen/kernels/ptx/math.cuh"

namespace llcuda {

/// A power of two and its reciprocal: `up` brings values of magnitude `peak` or less below 2^15.
struct HalfScale {
  float up, down;
};

LLCUDA_DEVICE HalfScale halfScaleFor(float peak) {
  const uint32_t exponent = maxOf(static_cast<int>(bitCast<uint32_t>(peak) >> 23), 16); // both stay normal numbers
  return {bitCast<float>((268 - exponent) << 23), bitCast<float>((exponent - 14) << 23)};
}

/// Stores elements 4 * four ... + 3 of the row whose halves begin there.
LLCUDA_DEVICE void storeHalves(uint8_t* halves, int four, float4 v, float up) {
  *reinterpret_cast<uint2*>(halves + halvesOfFour(four)) =
      make_uint2(wordOfHalves(v.x * up, v.y * up), wordOfHalves(v.z * up, v.w * up));
}

} // namespace llcuda
