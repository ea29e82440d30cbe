// SPDX-License-Identifier: Apache-2.0
#include "codegen/pack/paired_rows.h"

#include "codegen/pack/source_row.h"

namespace llcuda::pack {

Result<std::vector<std::byte>> packPaired(WeightLayout layout, uint64_t rows, uint64_t columns, RowPairs pairs,
                                          formats::TensorType sourceType, std::span<const std::byte> source) {
  LLCUDA_ASSIGN_OR_RETURN(const uint64_t size, packedBytes(layout, rows, columns));
  std::vector<uint32_t> order(pairs.pairRows == 0 ? 0 : rows);
  for (size_t row = 0; row < order.size(); ++row)
    order[row] = static_cast<uint32_t>(sourceRow(row, pairs.pairRows, pairs.groupRows));
  std::vector<std::byte> packed(size);
  LLCUDA_RETURN_IF_ERROR(pack(layout, rows, columns, order, sourceType, source, packed));
  return packed;
}

} // namespace llcuda::pack
