// SPDX-License-Identifier: Apache-2.0
// f32 rows to int8 rows: d = max|x| / 127 over each 32 elements, codes round(x / d)
//
//   launch    grid and block: block/each_row.cuh
//   x         [rows][columns] f32, 16-byte aligned; columns are a multiple of 32
//   output    int8 rows in kOrder
//   numerics  a code may differ by 1 from codegen/reference/quantize_rows.h where x / d lies within 2^-21 of a tie
#pragma once

#include "codegen/kernels/block/each_row.cuh"
#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

template <RowsShape kShape, RowOrder kOrder>
LLCUDA_DEVICE void quantize(const float* x, int8_t* codes, float2* scales) {
  emitRows<kShape>(RowOutput<RowForms{.int8 = true, .order = kOrder}>{nullptr, codes, scales},
                   [&](int four) { return loadReadOnly(reinterpret_cast<const float4*>(x) + four); });
}

} // namespace llcuda
