// SPDX-License-Identifier: Apache-2.0
// How the epilogues of linears store what they have gated.
#pragma once

#include "codegen/kernels/block/emit_row.cuh"

namespace llcuda {

/// Neighbouring elements that a lane makes of a row: int8 rows are made of fours.
template <RowForms kForms>
constexpr int kGatedItemRows = kForms.int8 ? 4 : 1;

/// Stores value(0) ... value(kGatedItemRows - 1) as the elements of `row` from `element` on. All lanes call, those with
/// `valid` false store nothing.
template <RowForms kForms, typename Value>
LLCUDA_DEVICE void storeGated(const RowOutput<kForms>& row, int element, bool valid, Value value) {
  if constexpr (kForms.int8) {
    row.store(element / 4, make_float4(value(0), value(1), value(2), value(3)), valid);
  } else {
    if (valid)
      row.y[element] = value(0);
  }
}

} // namespace llcuda
