// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codegen/pack/pack.h"

namespace llcuda::pack {

/// Rows in pairs, as sourceRow() (source_row.h) has them: `pairRows` is even, a group a divisor of all rows.
struct RowPairs {
  uint32_t pairRows = 0, groupRows = 0;
};

/// pack() into bytes of its own.
Result<std::vector<std::byte>> packPaired(WeightLayout layout, uint64_t rows, uint64_t columns, RowPairs pairs,
                                          formats::TensorType sourceType, std::span<const std::byte> source);

} // namespace llcuda::pack
