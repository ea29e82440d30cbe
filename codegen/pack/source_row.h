// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace llcuda::pack {

/// Where row `row` of a value lies in the file's order, since what turns in pairs lies apart in some files and side by
/// side in kernels: of every `groupRows` rows (0: `pairRows`) the first `pairRows` are reordered, their first half to
/// the even rows and their second half to the odd ones. `pairRows` 0: rows stayed where they were.
constexpr size_t sourceRow(size_t row, size_t pairRows, size_t groupRows = 0) {
  if (pairRows == 0)
    return row;
  const size_t inGroup = row % (groupRows == 0 ? pairRows : groupRows);
  return inGroup >= pairRows ? row : row - inGroup + inGroup % 2 * (pairRows / 2) + inGroup / 2;
}

} // namespace llcuda::pack
