// SPDX-License-Identifier: Apache-2.0
// Launches of what no other launch has taken in: add, scale, softcap, the choice of rows and columns, and sums of rows.
#pragma once

#include "codegen/spec/kernel_spec.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

/// Of f32 rows; rows * columns is less than 2^31.
struct ElementsDesc {
  uint32_t rows = 1;
  uint32_t columns = 4; ///< a multiple of 4 for add, pick_rows and sum_rows
};

/// Names what the kernels cannot do; `op` is one of theirs.
Result<void> checkElements(const char* op, const ElementsDesc& desc);

/// add: y[i] = a[i] + b[i]
///   a, b          const float*    [rows][columns]
///   y             float*          [rows][columns]; may be a or b
LaunchSpec addLaunch(const ElementsDesc& desc);

/// scale: y[i] = x[i] * factor
///   x             const float*    [rows][columns]
///   y             float*          [rows][columns]; may be x
LaunchSpec scaleLaunch(const ElementsDesc& desc, float factor);

/// softcap: y[i] = cap * tanh(x[i] / cap)
///   x             const float*    [rows][columns]
///   y             float*          [rows][columns]; may be x
LaunchSpec softcapLaunch(const ElementsDesc& desc, float cap);

/// pick_rows: y[r] = x[output_rows[r]]
///   x             const float*    rows of the same columns
///   output_rows   const int*      [rows]: -1 gives a row of zeros
///   y             float*          [rows][columns]
LaunchSpec pickRowsLaunch(const ElementsDesc& desc);

/// take_columns: of each `group` columns the `count` from `first` on, all multiples of 4
///   x             const float*    [rows][columns / count * group]
///   y             float*          [rows][columns]
struct TakeDesc {
  ElementsDesc result;
  uint32_t count = 4, group = 4, first = 0;
};
Result<void> checkTakeColumns(const TakeDesc& desc);
LaunchSpec takeColumnsLaunch(const TakeDesc& desc);

/// sum_rows: y[r] = the sum of x[first] ... x[first + count - 1]
///   x             const float*    rows of the same columns
///   pool_rows     const int*      [rows][2]: first and count, which is at most `mostRows`; 0 gives a row of zeros
///   pooled        float*          y: [rows][columns]
LaunchSpec sumRowsLaunch(const ElementsDesc& desc, uint32_t mostRows);

} // namespace llcuda::codegen
