// SPDX-License-Identifier: Apache-2.0
// How a decode linear is cut for a T4: slices of the inputs, units of weights that are on their way.
#pragma once

#include <cstdint>
#include <string>

#include "codegen/formats/weight_layout.h"
#include "codegen/spec/constant.h"

namespace llcuda::codegen {

struct DecodeTileRequest {
  bool operator==(const DecodeTileRequest&) const = default;

  WeightLayout layout = WeightLayout::kF16Rows;
  uint32_t inputRows = 1; ///< rows of activations
  uint32_t columns = 32;  ///< of the weights
  uint32_t outputs = 1;   ///< rows of all weights of the launch, gate and up counted once
  uint32_t weights = 1;   ///< of a block: 2 for gate and up
};

/// As codegen/kernels/linear/decode_rows.cuh.
struct DecodeTile {
  uint32_t slices = 8;
  uint32_t ahead = 4;
  uint32_t minBlocksPerSm = 1; ///< for __launch_bounds__: the registers that the tile may use

  uint32_t threads(const DecodeTileRequest& request) const { return slices * request.weights * 32; }
  Members members() const; ///< of llcuda::DecodeCut
  bool operator==(const DecodeTile&) const = default;
};

/// Slices: as many as fill the machine with warps, and whatever inputRows is: the order of a sum follows from them.
/// Units ahead and registers: by what a unit takes of them.
DecodeTile chooseDecodeTile(const DecodeTileRequest& request);

} // namespace llcuda::codegen
