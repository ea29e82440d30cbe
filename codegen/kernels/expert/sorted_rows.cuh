// SPDX-License-Identifier: Apache-2.0
// Rows of x in the order of sorted choices, as tensor cores read them: int8 rows or f16 rows in the order of fragments
//
//   launch    sorted_rows: grid and block of block/each_row.cuh; sorted_half_rows: grid (sorted rows), block
//             (kShape.threads); numbers from codegen/spec/expert_spec.cpp
//   x         [rows][columns] f32, 16-byte aligned; columns are a multiple of 32
//   sorted    the choice of each row of the result: row choice / kChoices of x; of -1 int8 rows are zeros and f16 rows
//             what they were
//   output    int8 rows, or f16 rows and what they are multiplied with
//   numerics  quantize.cuh, half_rows.cuh
#pragma once

#include "codegen/kernels/block/each_row.cuh"
#include "codegen/kernels/norm/half_rows.cuh"

namespace llcuda {

/// kChoices: of a row of x, 1 where x has a row for each.
template <RowsShape kShape, int kChoices>
LLCUDA_DEVICE void sortedRows(const float* x, const int* sorted, int8_t* codes, float2* scales) {
  constexpr int kFours = kShape.columns / 4;
  emitRows<kShape>(RowOutput<RowForms{.int8 = true, .order = RowOrder::kFragments}>{nullptr, codes, scales},
                   [&](int four) {
                     const int choice = loadReadOnly(sorted + four / kFours);
                     return choice < 0 ? make_float4(0.f, 0.f, 0.f, 0.f)
                                       : loadReadOnly(reinterpret_cast<const float4*>(x) +
                                                      static_cast<int64_t>(choice / kChoices) * kFours + four % kFours);
                   });
}

template <RowShape kShape, int kChoices>
LLCUDA_DEVICE void sortedHalfRows(const float* x, const int* sorted, uint8_t* halves, float* scales) {
  const int choice = loadReadOnly(sorted + blockIdx.x);
  if (choice >= 0)
    halfRow<kShape>(x + static_cast<int64_t>(choice / kChoices) * kShape.columns, blockIdx.x, halves, scales);
}

} // namespace llcuda
