// SPDX-License-Identifier: Apache-2.0
// y[i] = activation(gate[i]) * up[i]
//
//   launch    grid (ceil(kShape.elements / 4 / kShape.threads)), block (kShape.threads)
//   gate, up  f32, 16-byte aligned, kShape.elements elements: rows of a multiple of 32
//   output    f32 rows, int8 rows, or both; y may be gate or up
//   numerics  within 2^-20 relative of codegen/reference/glu.h, before the int8 rounding
#pragma once

#include "codegen/kernels/block/emit_row.cuh"
#include "codegen/kernels/block/row_shape.cuh"
#include "codegen/kernels/glu/activation.cuh"

namespace llcuda {

template <FlatShape kShape, Activation kActivation, RowForms kForms>
LLCUDA_DEVICE void glu(const float* gate, const float* up, float* y, int8_t* codes, float2* scales) {
  const int i = blockIdx.x * kShape.threads + threadIdx.x;
  const bool valid = i < kShape.elements / 4;
  const float4 g = reinterpret_cast<const float4*>(gate)[valid ? i : 0];
  const float4 u = reinterpret_cast<const float4*>(up)[valid ? i : 0];
  const RowOutput<kForms> output = {y, codes, scales};
  output.store(i,
               make_float4(activate<kActivation>(g.x) * u.x, activate<kActivation>(g.y) * u.y,
                           activate<kActivation>(g.z) * u.z, activate<kActivation>(g.w) * u.w),
               valid);
}

} // namespace llcuda
