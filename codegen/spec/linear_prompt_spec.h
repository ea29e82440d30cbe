// SPDX-License-Identifier: Apache-2.0
// Launches of the linears of many rows, by tensor cores: the chunks of a prompt, and the wider decode batches.
//
// `inputs` is a multiple of 32, or of the block of a layout that has larger ones. A layout reads int8 rows (x_codes,
// x_scales) or f32 rows (x), as weightReadsInt8Rows says; a launch of several layouts that differ in that has all three
// parameters. A launch takes its tile from `tiles`, else the formula's. Tiles of rows whose positions are all -1 are
// skipped: what they would write keeps what it held.
#pragma once

#include "codegen/formats/activation.h"
#include "codegen/formats/weight_layout.h"
#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/linear_spec.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

struct LinearPromptDesc {
  WeightLayout layout = WeightLayout::kF16Rows;
  uint32_t rows = 1;
  uint32_t inputs = 32;
  uint32_t outputs = 1;
  bool bias = false;
  bool residual = false;
};

/// Names what the kernels cannot do. The launch takes only what this lets pass.
Result<void> checkLinearPrompt(const LinearPromptDesc& desc);

/// linear_prompt: y[r][n] = sum over k of x[r][k] * weight[n][k] (+ bias[n]) (+ residual[r][n]).
///   weight        const uint8_t*  the blob of the layout, 256-byte aligned
///   x             const float*    [rows][inputs]; layouts that read f32 rows
///   x_codes       const int8_t*   [rows][inputs]; the other layouts
///   x_scales      const float2*   [rows][inputs / 32]; the other layouts
///   positions     const int*      [rows]
///   bias          const float*    [outputs]; only with bias
///   residual      const float*    [rows][outputs]; only with residual; may be y
///   y             float*          [rows][outputs]
LaunchSpec linearPromptLaunch(const LinearPromptDesc& desc, const TileTable& tiles = {});

/// Names what the kernels cannot do, among it f32_rows. The launch takes only what this lets pass.
Result<void> checkQkvPrompt(const QkvLinearDesc& desc);

/// qkv_prompt: the three linears of x in one launch.
///   q_weight, k_weight, v_weight  const uint8_t*  [qOutputs or kvOutputs][inputs], blobs as above
///   x, x_codes, x_scales, positions as above
///   q_bias, k_bias, v_bias        const float*    [qOutputs or kvOutputs]; only with bias
///   q, k, v                       float*          [rows][qOutputs or kvOutputs]
LaunchSpec qkvPromptLaunch(const QkvLinearDesc& desc, const TileTable& tiles = {});

struct GluLinearPromptDesc {
  WeightLayout layout = WeightLayout::kF16Rows; ///< of gate and up
  uint32_t rows = 1;
  uint32_t inputs = 32;
  uint32_t outputs = 32; ///< a multiple of 32
  Activation activation = Activation::kSilu;
  bool f32Rows = false; ///< emits y
  bool int8Rows = true; ///< emits y_codes and y_scales
};

/// Names what the kernels cannot do, among it f32_rows. The launch takes only what this lets pass.
Result<void> checkGluLinearPrompt(const GluLinearPromptDesc& desc);

/// glu_linear_prompt: y[r][n] = activation(gate . x[r])[n] * (up . x[r])[n]
///   gate_weight   const uint8_t*  a blob as above
///   up_weight     const uint8_t*  a blob as above
///   x, x_codes, x_scales, positions as above
///   y             float*          [rows][outputs]; only with f32Rows
///   y_codes       int8_t*         [rows][outputs]; only with int8Rows
///   y_scales      float2*         [rows][outputs / 32]; only with int8Rows
LaunchSpec gluLinearPromptLaunch(const GluLinearPromptDesc& desc, const TileTable& tiles = {});

} // namespace llcuda::codegen
