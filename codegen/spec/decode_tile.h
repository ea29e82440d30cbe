// SPDX-License-Identifier: Apache-2.0
// How a decode linear is cut for a T4: lanes that share a row, rows of a group of lanes, warps of a block.
#pragma once

#include <cstdint>
#include <string>

#include "codegen/formats/weight_layout.h"
#include "codegen/spec/constant.h"

namespace llcuda::codegen {

struct DecodeTileRequest;

/// As codegen/kernels/linear/decode_rows.cuh.
struct DecodeTile {
  uint32_t lanes = 32;
  uint32_t rows = 1;
  uint32_t warps = 8;
  uint32_t minBlocksPerSm = 1; ///< for __launch_bounds__: the registers that the tile may use

  uint32_t threads() const { return warps * 32; }
  uint32_t roundRows() const { return warps * (32 / lanes) * rows; }
  /// How often a block does so, for the whole blocks of int8 rows that a launch wants of it.
  uint32_t rounds(const DecodeTileRequest& request) const;
  uint32_t blockRows(const DecodeTileRequest& request) const { return rounds(request) * roundRows(); }
  Members members(const DecodeTileRequest& request) const; ///< of llcuda::DecodeCut
  bool operator==(const DecodeTile&) const = default;
};

struct DecodeTileRequest {
  bool operator==(const DecodeTileRequest&) const = default;

  WeightLayout layout = WeightLayout::kF16Rows;
  uint32_t inputRows = 1;         ///< rows of activations
  uint32_t columns = 32;          ///< of the weights
  uint32_t outputs = 1;           ///< rows of all weights of the launch, gate and up counted once
  uint32_t smallestPart = 1;      ///< rows of the smallest weight
  uint32_t weights = 1;           ///< that a group reads side by side: 2 for gate and up
  uint32_t rowsMultiple = 1;      ///< of a group: 2 where pairs must stay together
  uint32_t blockRowsMultiple = 1; ///< 32 where a block makes whole blocks of int8 rows
};

/// Lanes: the widest group that leaves the fewest lanes idle at the end of a row, whatever inputRows is: the order of a
/// sum follows from them. Rows: four where every multiprocessor
/// still has 48 warps, two where it has eight. Warps: small blocks for small weights, so that all multiprocessors get a
/// share.
DecodeTile chooseDecodeTile(const DecodeTileRequest& request);

} // namespace llcuda::codegen
