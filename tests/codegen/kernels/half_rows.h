// SPDX-License-Identifier: Apache-2.0
// f16 rows as kernels read and emit them, element by element: by the words of codegen/formats/half_rows.h, not by its
// functions.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "codegen/formats/numbers.h"
#include "codegen/reference/half_rows.h"

namespace llcuda::testing {

struct TestHalfRows {
  size_t rows, columns;
  std::vector<uint16_t> halves; ///< NaN where nobody has stored
  std::vector<float> scales;    ///< the same

  TestHalfRows(size_t rows, size_t columns)
      : rows(rows), columns(columns), halves((rows + 15) / 16 * 16 * columns, 0x7e00),
        scales((rows + 15) / 16 * 16, NAN) {}

  /// The reference's of `x` [rows][columns].
  TestHalfRows(const std::vector<float>& x, size_t columns) : TestHalfRows(x.size() / columns, columns) {
    std::vector<uint16_t> inOrder(x.size());
    reference::halfRows(x.data(), rows, columns, inOrder.data(), scales.data());
    for (size_t i = 0; i < x.size(); ++i) at(i / columns, i % columns) = inOrder[i];
  }

  uint16_t& at(size_t row, size_t column) {
    const size_t tile = row / 16, block = column / 16, lane = row % 8 * 4 + column % 16 / 4;
    return halves[((tile * (columns / 16) + block) * 32 + lane) * 8 + row % 16 / 8 * 4 + column % 4];
  }
};

} // namespace llcuda::testing
