// SPDX-License-Identifier: Apache-2.0
// The choices of all rows by their experts, those of an expert in order, so that tiles of rows have one expert each
//
//   launch        one block of (32 * kShape.warps): codegen/spec/expert_spec.cpp
//   experts       [rows][choices], each below kShape.experts
//   positions     [rows]; the choices of a row of position -1 are left out
//   sorted        [tiles][tileRows] choices, those of the lowest expert first; -1 where a tile has fewer
//   tile_experts  [tiles] the expert of each tile, -1 past the last; kShape.tiles are as many as there can be
//   numerics      whole numbers, no atomics: the same in every run
//   sm_75         each warp counts, then places, a run of choices, in groups of 32 whose lanes look at each other
#pragma once

#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

struct SortShape {
  int rows, experts, choices; ///< of the launch, that there are, and that a row has
  int tileRows, tiles;
  int warps;
};

template <SortShape kShape>
LLCUDA_DEVICE void sortChoices(const int* experts, const int* positions, int* sorted, int* tileExperts) {
  constexpr int kPairs = kShape.rows * kShape.choices, kExperts = kShape.experts, kThreads = kShape.warps * kWarpSize;
  constexpr int kGroups = ceilDivide(kPairs, kThreads); ///< of a warp
  LLCUDA_SHARED(int, counts, kShape.warps* kExperts);   // that a warp has of each expert, then: that it has placed
  LLCUDA_SHARED(int, firsts, kExperts);                 // choices of each expert, then: the place of the first
  int* const own = counts + warpId() * kExperts;
  const int thread = threadIdx.x;

  const auto forOwnChoices = [&](auto visit) {
    LLCUDA_NO_UNROLL
    for (int group = 0; group < kGroups; ++group) {
      const int choice = (warpId() * kGroups + group) * kWarpSize + laneId();
      const bool valid = choice < kPairs && loadReadOnly(positions + choice / kShape.choices) >= 0;
      const int expert = valid ? loadReadOnly(experts + choice) : -1;
      int before = 0, all = 0; // lanes with the same expert
      LLCUDA_UNROLL
      for (int lane = 0; lane < kWarpSize; ++lane) {
        const bool same = shuffle(expert, lane) == expert;
        all += same;
        before += same && lane < laneId();
      }
      if (valid)
        visit(choice, expert, before);
      syncWarp();
      if (valid && before == all - 1)
        own[expert] += all;
      syncWarp();
    }
  };

  for (int i = thread; i < kShape.warps * kExperts; i += kThreads) counts[i] = 0;
  for (int i = thread; i < kShape.tiles * kShape.tileRows; i += kThreads) sorted[i] = -1;
  syncThreads();
  forOwnChoices([](int, int, int) {});
  syncThreads();
  for (int expert = thread; expert < kExperts; expert += kThreads) {
    int sum = 0;
    for (int warp = 0; warp < kShape.warps; ++warp) {
      int& count = counts[warp * kExperts + expert];
      const int more = count;
      count = sum;
      sum += more;
    }
    firsts[expert] = sum;
  }
  syncThreads();
  if (warpId() == 0) {
    constexpr int kMine = ceilDivide(kExperts, kWarpSize); // neighbouring experts of a lane
    const int begin = laneId() * kMine, end = minOf(begin + kMine, kExperts);
    int mine = 0;
    for (int expert = begin; expert < end; ++expert) mine += ceilDivide(firsts[expert], kShape.tileRows);
    int tile = mine;
    LLCUDA_UNROLL
    for (int step = 1; step < kWarpSize; step *= 2) {
      const int other = shuffleUp(tile, step);
      tile += laneId() >= step ? other : 0;
    }
    const int used = shuffle(tile, kWarpSize - 1);
    tile -= mine;
    for (int expert = begin; expert < end; ++expert) {
      const int next = tile + ceilDivide(firsts[expert], kShape.tileRows);
      firsts[expert] = tile * kShape.tileRows;
      for (; tile < next; ++tile) tileExperts[tile] = expert;
    }
    for (int past = used + laneId(); past < kShape.tiles; past += kWarpSize) tileExperts[past] = -1;
  }
  syncThreads();
  forOwnChoices([&](int choice, int expert, int before) { sorted[firsts[expert] + own[expert] + before] = choice; });
}

} // namespace llcuda
