// SPDX-License-Identifier: Apache-2.0
// y[i] of gate[i] and up[i], by an activation of codegen/formats/activation.h
//
//   launch    grid and block: block/each_row.cuh
//   gate, up  [rows][columns] f32, 16-byte aligned, or some columns of wider rows; columns are a multiple of 32
//   output    f32 rows, int8 rows, or both; y may be gate or up that are whole rows
//   numerics  within 2^-20 relative of codegen/reference/glu.h, before the int8 rounding
#pragma once

#include "codegen/kernels/block/each_row.cuh"
#include "codegen/kernels/block/row_view.cuh"
#include "codegen/kernels/glu/activation.cuh"

namespace llcuda {

template <RowsShape kShape, Activation kActivation, RowForms kForms, RowView kGate = RowView{}, RowView kUp = RowView{}>
LLCUDA_DEVICE void glu(const float* gate, const float* up, float* y, int8_t* codes, float2* scales) {
  emitRows<kShape>(RowOutput<kForms>{y, codes, scales}, [&](int four) {
    const float4 g = fourAt<kGate, kShape.columns>(gate, four), u = fourAt<kUp, kShape.columns>(up, four);
    return make_float4(gated<kActivation>(g.x, u.x), gated<kActivation>(g.y, u.y), gated<kActivation>(g.z, u.z),
                       gated<kActivation>(g.w, u.w));
  });
}

} // namespace llcuda
