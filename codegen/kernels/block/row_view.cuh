// SPDX-License-Identifier: Apache-2.0
// Rows that are some columns of wider rows.
#pragma once

#include "codegen/kernels/base/device.cuh"

namespace llcuda {

/// Of every `group` columns of a wider row the first `count`; all multiples of 4. Rows are handed from the first column
/// on that they have.
struct RowView {
  int columns = 0; ///< of the wider rows; 0: the rows are as they are
  int group = 0, count = 0;
};

/// Where element `column` of row `row` lies, the rows having kColumns.
template <RowView kView, int kColumns>
LLCUDA_DEVICE int64_t placeOf(int row, int column) {
  if constexpr (kView.columns == 0)
    return static_cast<int64_t>(row) * kColumns + column;
  else
    return static_cast<int64_t>(row) * kView.columns + column / kView.count * kView.group + column % kView.count;
}

/// Elements 4 * four ... + 3 of the rows, one row after the other.
template <RowView kView, int kColumns>
LLCUDA_DEVICE float4 fourAt(const float* rows, int four) {
  if constexpr (kView.columns == 0)
    return reinterpret_cast<const float4*>(rows)[four];
  else
    return *reinterpret_cast<const float4*>(rows +
                                            placeOf<kView, kColumns>(four / (kColumns / 4), four % (kColumns / 4) * 4));
}

} // namespace llcuda
