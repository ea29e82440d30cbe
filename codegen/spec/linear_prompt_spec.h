// SPDX-License-Identifier: Apache-2.0
// Launch of linear_prompt: y[r][n] = sum over k of x[r][k] * weight[n][k] (+ bias[n]) (+ residual[r][n]) for the rows
// of a prompt chunk, by tensor cores.
#pragma once

#include "codegen/formats/weight_layout.h"
#include "codegen/spec/kernel_spec.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

struct LinearPromptDesc {
  WeightLayout layout = WeightLayout::kF16Rows;
  uint32_t rows = 1;
  uint32_t inputs = 32; ///< a multiple of 32
  uint32_t outputs = 1;
  bool bias = false;
  bool residual = false;
};

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkLinearPrompt(const LinearPromptDesc& desc);

///   weight        const uint8_t*  the blob of the layout, 256-byte aligned
///   x             const float*    [rows][inputs]; only where weightReadsInt8Rows() is false
///   x_codes       const int8_t*   [rows][inputs]; only where weightReadsInt8Rows() is true
///   x_scales      const float2*   [rows][inputs / 32]; likewise
///   positions     const int*      [rows]: tiles whose rows are all -1 are skipped, and keep what y held
///   bias          const float*    [outputs]; only with bias
///   residual      const float*    [rows][outputs]; only with residual; may be y
///   y             float*          [rows][outputs]
LaunchSpec linearPromptLaunch(const LinearPromptDesc& desc);

} // namespace llcuda::codegen
