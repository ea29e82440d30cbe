// SPDX-License-Identifier: Apache-2.0
// Launches of mixtures of experts: the choice, the linears of those chosen, and the sum of what they make.
#pragma once

#include "codegen/formats/weight_layout.h"
#include "codegen/spec/kernel_spec.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

struct RouteDesc {
  uint32_t rows = 1;
  uint32_t experts = 1; ///< up to 1024
  uint32_t choices = 1; ///< up to 32 of them
  bool normalized = false;
};
Result<void> checkRoute(const RouteDesc& desc);
/// route: the experts with the highest logits
///   logits        const float*    [rows][experts]
///   experts       int*            [rows][choices]
///   weights       float*          [rows][choices]
LaunchSpec routeLaunch(const RouteDesc& desc);

struct ExpertLinearDesc {
  WeightLayout layout = WeightLayout::kF16Rows;
  uint32_t rows = 1; ///< that chose; rows * choices is up to 65535
  uint32_t experts = 1, choices = 1;
  uint32_t inputs = 32;  ///< a multiple of 32, or of the block of a layout that has larger ones
  uint32_t outputs = 32; ///< of each expert, a multiple of 32
  bool bias = false;
  bool each = false; ///< the input has a row for each choice
};
Result<void> checkExpertLinear(const ExpertLinearDesc& desc);
/// expert_linear: for each choice the rows of its expert times its row
///   weight        const uint8_t*  [experts * outputs][inputs], a blob of the layout
///   x             const float*    [rows or rows * choices][inputs]; where the layout reads f32 rows
///   x_codes, x_scales             int8 rows by themselves, where it reads those
///   experts       const int*      [rows][choices]
///   bias          const float*    [experts * outputs]; only with bias
///   y             float*          [rows * choices][outputs]
/// Takes its tile from `tiles`, else the formula's, for one row whatever `rows` is: a choice's bits are the same.
LaunchSpec expertLinearLaunch(const ExpertLinearDesc& desc, const TileTable& tiles = {});

struct ExpertSumDesc {
  uint32_t rows = 1;
  uint32_t choices = 1;
  uint32_t columns = 4; ///< a multiple of 4
};
Result<void> checkExpertSum(const ExpertSumDesc& desc);
/// expert_sum: the sum of a row's choices by their weights
///   x             const float*    [rows * choices][columns]
///   weights       const float*    [rows][choices]
///   y             float*          [rows][columns]
LaunchSpec expertSumLaunch(const ExpertSumDesc& desc);

} // namespace llcuda::codegen
