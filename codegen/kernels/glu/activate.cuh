// SPDX-License-Identifier: Apache-2.0
// y[i] = activation(x[i]), by an activation of codegen/formats/activation.h
//
//   launch    grid and block: block/each_row.cuh
//   x         [rows][columns] f32, 16-byte aligned; columns are a multiple of 32
//   output    f32 rows, int8 rows, or both; y may be x
//   numerics  within 2^-20 relative of codegen/reference/glu.h, before the int8 rounding
#pragma once

#include "codegen/kernels/block/each_row.cuh"
#include "codegen/kernels/glu/activation.cuh"

namespace llcuda {

template <RowsShape kShape, Activation kActivation, RowForms kForms>
LLCUDA_DEVICE void activateRows(const float* x, float* y, int8_t* codes, float2* scales) {
  emitRows<kShape>(RowOutput<kForms>{y, codes, scales}, [&](int four) {
    const float4 v = reinterpret_cast<const float4*>(x)[four];
    return make_float4(activate<kActivation>(v.x), activate<kActivation>(v.y), activate<kActivation>(v.z),
                       activate<kActivation>(v.w));
  });
}

} // namespace llcuda
