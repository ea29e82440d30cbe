// SPDX-License-Identifier: Apache-2.0
// A linear of 1 ... 8 rows: operand x parts x epilogue
//
//   launch    grid (blocks that make low, then those of the parts: codegen/spec/linear_spec.cpp), block
//             (32 * kCut.slices * kSides): decode_tile.cpp
//   weights   blobs of their layouts, 256-byte aligned
//   x         int8 rows, f32 rows or both, as the layouts read; 16-byte aligned
//   biases    [rows of the weight] or null
//   numerics  f32 sums, to which the epilogue adds: a row's bits are the same in every row of y, and for any number of
//             rows; NMSE against codegen/reference/linear.h on the same (quantised) rows below 1e-11
//   sm_75     reads each byte of a weight once
//
// The parts are decode_parts.cuh. An epilogue is a struct of what else the launch is handed, with
//
//   kItemRows               1, 2 or 4 rows whose sums must meet in one thread: an item
//   load(part, item)        what a thread reads for an item before it reads weights
//   store(part, item, sums, early)   an item's whole sums, [row][side]. All lanes of a warp call that has an item,
//                           items in their order: rows of the block, for one row of x after the other
//   finish<kThreads, kM>(part, blocks)   when the block, one of so many of the parts, has stored all its rows; all
//                           threads call
//
// What is added to a product before the epilogue sees it, the low-rank product of an adapter, is decode_low_rank.cuh.
#pragma once

#include "codegen/kernels/linear/decode_low_rank.cuh"

namespace llcuda {

/// Sums of input row b and of the rows of the weight from `row` on. Not `valid`: there is no such row.
struct SumItem {
  int row, b;
  bool valid;
};

/// Calls f(i, item) for each item i of a thread.
template <int kThreads, int kM, int kItemRows, typename F>
LLCUDA_DEVICE void forItems(int block, int rows, F f) {
  constexpr int kRowItems = kDecodeRows / kItemRows, kItems = kM * kRowItems;
  constexpr int kOfThread = ceilDivide(kItems, kThreads);
  LLCUDA_UNROLL
  for (int i = 0; i < kOfThread; ++i) {
    const int place = i * kThreads + static_cast<int>(threadIdx.x), item = minOf(place, kItems - 1);
    const int row = block * kDecodeRows + item % kRowItems * kItemRows;
    if (i * kThreads + warpId() * kWarpSize < kItems)
      f(i, SumItem{row, item / kRowItems, place < kItems && row < rows});
  }
}

template <DecodeCut kCut, int kLowRank = 0, typename Parts, typename Epilogue>
LLCUDA_DEVICE void decodeLinear(const Parts& parts, const InputRows& x, const Epilogue& epilogue,
                                const LowRank& low = {}) {
  constexpr int kM = Parts::kM, kSides = Parts::kSides, kItemRows = Epilogue::kItemRows;
  constexpr int kThreads = kCut.slices * kSides * kWarpSize;
  constexpr int kSliceFloats = kM * kSliceStride;
  LLCUDA_SHARED(float, slices, kCut.slices* kSides* kSliceFloats);
  const LowRankBlocks<kLowRank, kThreads> blocks(low);
  if (blocks.template make<kM, Parts::kK>(low, x))
    return;
  const auto part = parts.of(blocks.block());
  typename Epilogue::Early early[ceilDivide(kM * kDecodeRows / kItemRows, kThreads)] = {};
  forItems<kThreads, kM, kItemRows>(part.block, part.rows, [&](int i, const SumItem& item) {
    if (item.valid)
      early[i] = epilogue.load(part, item);
  });
  const LowRankTerm<kLowRank, kM, kCut.slices> term(low, part.index + warpId() / kCut.slices, part.rows, part.block,
                                                    warpId() % kCut.slices);
  parts.withLayouts(
      part.index, [&]<WeightLayout... kLayouts>() {
        multiplySides<Parts, kCut, kLayouts...>(part, x, slices + warpId() * kSliceFloats);
      });
  term.addTo(slices + warpId() * kSliceFloats, blocks);
  syncThreads();
  blocks.leave();
  forItems<kThreads, kM, kItemRows>(part.block, part.rows, [&](int i, const SumItem& item) {
    float sums[kItemRows * kSides];
    LLCUDA_UNROLL
    for (int r = 0; r < kItemRows; ++r) {
      LLCUDA_UNROLL
      for (int side = 0; side < kSides; ++side) {
        const float* of = slices + (side * kCut.slices * kM + item.b) * kSliceStride + item.row % kDecodeRows + r;
        float sum = of[0];
        LLCUDA_UNROLL
        for (int s = 1; s < kCut.slices; ++s) sum += of[s * kSliceFloats];
        sums[r * kSides + side] = sum;
      }
    }
    epilogue.store(part, item, sums, early[i]);
  });
  epilogue.template finish<kThreads, kM>(part, blocks.count());
}

} // namespace llcuda
