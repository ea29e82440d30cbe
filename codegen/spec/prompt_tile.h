// SPDX-License-Identifier: Apache-2.0
// How a linear of tensor cores is cut for a T4: rows and columns of y that a block makes, and how its warps stand.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codegen/formats/weight_layout.h"
#include "codegen/spec/constant.h"

namespace llcuda::codegen {

/// As codegen/kernels/linear/prompt_tile.cuh.
struct PromptTile {
  uint32_t rows, columns, warpsDown, warpsAcross, warpsDeep;
  uint32_t minBlocksPerSm; ///< for __launch_bounds__; registers and shared memory suffice

  uint32_t threads() const { return warpsDown * warpsAcross * warpsDeep * 32; }
  Members members() const; ///< of llcuda::PromptCut
  bool operator==(const PromptTile&) const = default;
};

struct PromptTileRequest {
  std::vector<WeightLayout> layouts;
  uint32_t rows = 1;
  uint32_t inputs = 32;
  uint32_t columns = 1; ///< of all weights of the launch
  bool gated = false;   ///< columns are pairs of gate and up, and a block makes whole blocks of int8 rows

  bool operator==(const PromptTileRequest&) const = default;
};

/// Up to 64 rows the weight's bytes are the cost: tiles of their height, of few columns, whose warps share the inputs,
/// so that all multiprocessors read. More rows take the tile of which registers and shared memory hold most, and that
/// still gives each multiprocessor one or two.
PromptTile choosePromptTile(const PromptTileRequest& request);

} // namespace llcuda::codegen
