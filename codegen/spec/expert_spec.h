// SPDX-License-Identifier: Apache-2.0
// Launches of mixtures of experts: the choice, the linears of those chosen, and the sum of what they make.
//
// Linears of few rows multiply each choice by itself. Those of many sort the choices by expert, in tiles of which each
// has one, and tensor cores multiply a tile: sort_choices, sorted_rows of what is multiplied, and the linears, whose
// descriptions then have tileRows. Their grid is as large as any choice asks for; blocks of no expert leave at once.
#pragma once

#include "codegen/formats/activation.h"
#include "codegen/formats/weight_layout.h"
#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/linear_spec.h"
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

/// How many rows a tile of sorted choices has: 16, 32 or 64, by how many choices an expert gets if all get as many.
/// With `anyRows` the same for any number of rows.
uint32_t expertTileRows(uint32_t rows, uint32_t experts, uint32_t choices, bool anyRows);

struct SortChoicesDesc {
  uint32_t rows = 1, experts = 1, choices = 1; ///< rows * choices is up to 65535
  uint32_t tileRows = 16;

  /// Tiles that there can be, and their rows.
  uint32_t tiles() const { return mostExpertTiles(rows, experts, choices, tileRows); }
  uint32_t sortedRows() const { return tiles() * tileRows; }
};
Result<void> checkSortChoices(const SortChoicesDesc& desc);
/// sort_choices: choices by their experts, in tiles
///   experts       const int*      [rows][choices]
///   positions     const int*      [rows]; the choices of a row of -1 are left out
///   sorted        int*            [tiles][tileRows]: a choice, or -1
///   tile_experts  int*            [tiles]: an expert, or -1
LaunchSpec sortChoicesLaunch(const SortChoicesDesc& desc);

struct SortedRowsDesc {
  SortChoicesDesc choices;
  uint32_t columns = 32; ///< a multiple of 32
  bool each = false;     ///< x has a row for each choice
  bool halfRows = false; ///< f16 rows, else int8 rows, both in the order of fragments
};
Result<void> checkSortedRows(const SortedRowsDesc& desc);
/// sorted_rows: the row of each sorted choice, as tensor cores read it
///   x             const float*    [rows or rows * choices][columns]
///   sorted        const int*      of sort_choices
///   y_codes, y_scales             int8 rows; without halfRows
///   y_halves, y_half_scales       f16 rows; with halfRows
LaunchSpec sortedRowsLaunch(const SortedRowsDesc& desc);

struct ExpertLinearDesc {
  WeightLayout layout = WeightLayout::kF16Rows;
  uint32_t rows = 1; ///< that chose; rows * choices is up to 65535
  uint32_t experts = 1, choices = 1;
  uint32_t inputs = 32;  ///< a multiple of 32, or of the block of a layout that has larger ones
  uint32_t outputs = 32; ///< of each expert, a multiple of 32
  bool bias = false;
  bool each = false;     ///< the input has a row for each choice; sorted rows always do
  uint32_t tileRows = 0; ///< of sorted choices, in a layout that tensor cores multiply; 0: each choice by itself
};
Result<void> checkExpertLinear(const ExpertLinearDesc& desc);
/// expert_linear, expert_linear_prompt: for each choice the rows of its expert times its row
///   weight        const uint8_t*  [experts * outputs][inputs], a blob of the layout
///   x             const float*    [rows or rows * choices][inputs]; where the layout reads f32 rows
///   x_codes, x_scales             int8 rows, where it reads those: by themselves, or those of sorted choices
///   x_halves, x_half_scales       f16 rows of sorted choices, where tensor cores read those
///   experts       const int*      [rows][choices]; not with tileRows
///   tile_experts, sorted          of sort_choices; with tileRows
///   bias          const float*    [experts * outputs]; only with bias
///   y             float*          [rows * choices][outputs]
/// Of few rows the tile is that of `tiles`, else the formula's, for one row whatever `rows` is: a choice's bits are the
/// same.
LaunchSpec expertLinearLaunch(const ExpertLinearDesc& desc, const TileTable& tiles = {});

struct ExpertGluDesc {
  WeightLayout gate = WeightLayout::kF16Rows, up = WeightLayout::kF16Rows; ///< one layout with tileRows
  uint32_t rows = 1, experts = 1, choices = 1, inputs = 32, outputs = 32;  ///< as ExpertLinearDesc
  bool bias = false;                                                       ///< of both
  Activation activation = Activation::kSilu;
  bool f32Rows = true;   ///< emits y
  bool int8Rows = false; ///< emits y_codes and y_scales
  uint32_t tileRows = 0; ///< as ExpertLinearDesc
};
Result<void> checkExpertGlu(const ExpertGluDesc& desc);
/// expert_glu_linear, expert_glu_prompt: activation(gate) * up of each choice
///   gate_weight, up_weight        as weight of expert_linear
///   x, x_codes, x_scales, x_halves, x_half_scales   the same, with a row for each row that chose or, with tileRows,
///   for
///                                 each sorted choice
///   experts       const int*      not with tileRows
///   tile_experts  const int*      with tileRows
///   gate_bias, up_bias            const float* [experts * outputs]; only with bias
///   y             float*          [rows * choices][outputs], with tileRows of sorted choices; only with f32Rows
///   y_codes, y_scales             int8 rows of the same; only with int8Rows
LaunchSpec expertGluLaunch(const ExpertGluDesc& desc, const TileTable& tiles = {});

/// The forms in which the launches read their rows.
RowsRead rowsRead(const ExpertLinearDesc& desc);
RowsRead rowsRead(const ExpertGluDesc& desc);

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
