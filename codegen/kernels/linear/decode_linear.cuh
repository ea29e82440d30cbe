// SPDX-License-Identifier: Apache-2.0
// A linear of 1 ... 8 rows: operand x parts x epilogue
//
//   launch    grid (blocks of the parts: codegen/spec/linear_spec.cpp), block (32 * kCut.warps): decode_tile.cpp
//   weights   blobs of their layouts, 256-byte aligned
//   x         int8 rows, f32 rows or both, as the layouts read; 16-byte aligned
//   biases    [rows of the weight] or null
//   numerics  f32 sums, to which the epilogue adds: a row's bits are the same in every row of y; NMSE against
//             codegen/reference/linear.h on the same (quantised) rows below 1e-11
//   sm_75     reads each byte of a weight once
//
// The parts are decode_parts.cuh. An epilogue is a struct of what else the launch is handed, with
//
//   kItemRows               rows of a group whose sums must meet in one lane
//   tileFloats<Tile, kM>()  of shared memory: [b][row of the block], at b * Tile::kBlockRows + item.tileRow
//   load<Sums>(part, row)   what a lane reads for its items before it reads weights; `row`: the group's first
//   store<Tile>(part, item, sums, early, tile)   an item's whole sums, [row][side], in the lane that owns them
//   finish<Tile, kM>(part, tile)                 when the block has all its rows; all threads call
//
// What is added to a product before the epilogue sees it (the low-rank product of a LoRA) belongs after multiplySides,
// in a part that has such weights.
#pragma once

#include "codegen/kernels/linear/decode_parts.cuh"

namespace llcuda {

/// Sums that a lane owns: of input row b, and of the rows of the weight from `row` on.
struct SumItem {
  int index; ///< among the lane's
  int row, b;
  int tileRow; ///< row within the block's
};

template <DecodeCut kCut, typename Parts, typename Epilogue>
LLCUDA_DEVICE void decodeLinear(const Parts& parts, const InputRows& x, const Epilogue& epilogue) {
  using Tile = DecodeTile<kCut>;
  using Sums = GroupSums<Tile, Parts::kM, Parts::kSides, Epilogue::kItemRows>;
  LLCUDA_SHARED(float, tile, (Epilogue::template tileFloats<Tile, Parts::kM>()));
  const auto part = parts.template of<Tile>(static_cast<int>(blockIdx.x));
  parts.withLayouts(
      part.index, [&]<WeightLayout... kLayouts>() {
        LLCUDA_NO_UNROLL
        for (int round = 0; round < Tile::kRounds; ++round) {
          const GroupRows rows = groupRows<Tile>(part.block, round, part.rows);
          const auto early = epilogue.template load<Sums>(part, rows.first);
          Sums sums;
          multiplySides<Parts, Tile, kLayouts...>(part, rows.first, x, sums.all);
          sums.reduce();
          sums.forOwned(rows.firstOwned, [&](int i, int r, int b) {
            const SumItem item = {i, rows.first + r, b, round * Tile::kRoundRows + Tile::groupRow() + r};
            epilogue.template store<Tile>(part, item, sums.own + i * Sums::kValues, early, tile);
          });
        }
      });
  epilogue.template finish<Tile, Parts::kM>(part, tile);
}

} // namespace llcuda
