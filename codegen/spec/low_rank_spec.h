// SPDX-License-Identifier: Apache-2.0
// Launches of the inner half of an adapter's low-rank product of many rows. Linears of few rows make it themselves; the
// outer half all linears do (LinearDesc).
#pragma once

#include "codegen/spec/linear_spec.h"

namespace llcuda::codegen {

struct LowRankDesc {
  uint32_t rows = 1;
  uint32_t inputs = 32; ///< a multiple of 32
  uint32_t rank = 32;   ///< a multiple of 32
};

/// low_rank_prompt: low[r][i] = sum over k of x[r][k] * a[i][k]
///   a             const uint8_t*  [rank][inputs], a blob of f16_rows
///   x             const float*    [rows][inputs]
///   positions     const int*      [rows]; of 16 rows that are all -1 nothing is written
///   low           float*          [rows][rank]
LaunchSpec lowRankLaunch(const LowRankDesc& desc);

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkLowRank(const LowRankDesc& desc);

} // namespace llcuda::codegen
