// SPDX-License-Identifier: Apache-2.0
// Emits rows whose elements are made one by one. A thread makes four, or, where rows become int8 rows in the order of
// fragments, sixteen: a warp makes a block of 16 rows.
//
//   launch    block (kShape.threads), grid (ceil(rowsHeld(order, rows) * columns / elementsOfThread(order) /
//             kShape.threads))
#pragma once

#include "codegen/kernels/block/emit_row.cuh"
#include "codegen/kernels/block/row_shape.cuh"

namespace llcuda {

/// make(i) makes elements 4i ... 4i + 3 of the matrix. It is called with numbers inside it alone, not by all threads.
template <RowsShape kShape, typename Output, typename Make>
LLCUDA_DEVICE void emitRows(const Output& output, Make make) {
  constexpr int kFours = kShape.columns / 4, kBlocks = kShape.columns / kRowBlock;
  const int thread = static_cast<int>(blockIdx.x) * kShape.threads + static_cast<int>(threadIdx.x);
  if constexpr (Output::kInt8 && Output::kOrder == RowOrder::kFragments) {
    const int at = thread / kWarpSize, tile = at / kBlocks, block = at % kBlocks;
    if (tile * kFragmentRows >= kShape.rows)
      return; // the whole warp
    FragmentFours v = {};
    LLCUDA_UNROLL
    for (int r = 0; r < 2; ++r) {
      const int row = tile * kFragmentRows + laneId() / 4 + 8 * r;
      LLCUDA_UNROLL
      for (int half = 0; half < 2; ++half)
        if (row < kShape.rows)
          v.of[r][half] = make(row * kFours + block * (kRowBlock / 4) + 4 * half + laneId() % 4);
    }
    output.storeFragment(tile, block, kShape.rows, kShape.columns, v);
  } else {
    const bool valid = thread < kShape.rows * kFours;
    const int four = valid ? thread : 0;
    if constexpr (Output::kOrder == RowOrder::kEightRows)
      output.row(four / kFours, kShape.columns).store(four % kFours, make(four), valid);
    else
      output.store(thread, make(four), valid);
  }
}

} // namespace llcuda
