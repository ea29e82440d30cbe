// SPDX-License-Identifier: Apache-2.0
// Rows that are some columns of wider rows, which kernels read where these lie.
#pragma once

#include "codegen/spec/constant.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

/// Of every `group` columns of a wider row the first `count`; whose are others begins further on.
struct RowView {
  uint32_t columns = 0; ///< of the wider rows; 0: the rows are as they are
  uint32_t group = 0, count = 0;

  bool isWhole() const { return columns == 0; }
};

/// Names what kernels cannot read as rows of `columns`.
inline Result<void> checkRowView(const char* op, const RowView& view, uint32_t columns) {
  if (view.isWhole())
    return {};
  if (view.count == 0 || view.group < view.count || view.columns % view.group != 0 ||
      view.columns / view.group * view.count != columns)
    return unsupported(op, " of ", columns, " columns that are ", view.count, " of ", view.group, " of ", view.columns);
  if (view.count % 4 != 0 || view.group % 4 != 0)
    return unsupported(op, " of ", view.count, " of ", view.group, " columns; kernels exist for multiples of 4");
  return {};
}

/// RowView of codegen/kernels/block/row_view.cuh.
inline Members rowView(const RowView& view) {
  return {{"columns", optionalNumber("of", view.columns)},
          {"group", optionalNumber("g", view.group)},
          {"count", {std::to_string(view.count), ""}}};
}

} // namespace llcuda::codegen
