// SPDX-License-Identifier: Apache-2.0
// y[r][h] = softmax over the keys j that row r sees of score(q[r][h] . k[j][g]) times v[j][g], g = h / group
//
//   launch     grid (kv heads, kSplits, rows), block kDecodeThreads; numbers from codegen/spec/attention_spec.cpp
//   q          [rows][heads][head size] f32, 16-byte aligned
//   k, v       pages of AttentionShape; the row's own key and value are already there
//   positions  [rows]; -1: the row becomes zeros and nothing else is read
//   table      [slots][table pages]: page of 64 positions each
//   partial    [rows][kv heads][kSplits][group * (head size + 2)] f32 and arrivals [rows][kv heads], zero between
//              launches; unused (null) when kSplits is 1
//   rows       y f32 [rows][heads * head size], or int8 rows of it, or both
//   numerics   f32 inside; keys and values are f16
//   sm_75      every query head of a kv head shares its loads. A key is read by kKeyLanes lanes, 16 bytes each, kUnroll
//              keys and values in flight per lane. Each split takes a contiguous range of the pages in use; splits
//              without pages leave at once, and the last one to arrive merges
#pragma once

#include "codegen/kernels/attention/state_merge.cuh"
#include "codegen/kernels/block/last_block.cuh"

namespace llcuda {

/// How the lanes of a block divide the keys among themselves.
template <typename Shape>
struct DecodeTile {
  static constexpr int kVectors = Shape::kHeadSize / 8; ///< 16-byte vectors of a key
  static constexpr int kKeyLanes = kVectors <= 2 ? 2 : kVectors <= 4 ? 4 : kVectors <= 8 ? 8 : kVectors <= 16 ? 16 : 32;
  static constexpr int kWarps = kDecodeThreads / kWarpSize;
  static constexpr int kParts = kDecodeThreads / kKeyLanes; ///< groups of lanes with a softmax of their own
  static constexpr int kUnroll = Shape::kGroup <= 4 ? 4 : 2;
  static constexpr int kWarpKeys = kWarpSize / kKeyLanes * kUnroll; ///< keys a warp takes at a time
  static_assert(kPageTokens % kWarpKeys == 0, "a page is whole steps of a warp");
};

/// Maximum, sum of weights, and weighted sum of values, for the query heads of a kv head; eight elements a lane.
template <int kGroup>
struct SoftmaxState {
  float highest[kGroup];
  float sum[kGroup];
  float values[kGroup][8];
};

/// Eight f16 of a key or value; zeros for one that the row does not see, since its memory may hold anything.
LLCUDA_DEVICE uint4 loadVector(const Half* p, bool wanted) {
  return wanted ? loadStream(reinterpret_cast<const uint4*>(p)) : make_uint4(0, 0, 0, 0);
}

LLCUDA_DEVICE void unpackVector(const uint4& v, float (&f)[8]) {
  const uint32_t words[4] = {v.x, v.y, v.z, v.w};
  LLCUDA_UNROLL
  for (int i = 0; i < 4; ++i) {
    const float2 pair = halvesOf(words[i]);
    f[2 * i] = pair.x;
    f[2 * i + 1] = pair.y;
  }
}

/// Dot products of kUnroll keys with every query head: scores[g * kUnroll + u], in all lanes of the key.
template <typename Shape, typename Tile>
LLCUDA_DEVICE void scoreKeys(const float (&q)[Shape::kGroup][8], const uint4 (&keys)[Tile::kUnroll],
                             float (&scores)[Shape::kGroup * Tile::kUnroll]) {
  LLCUDA_UNROLL
  for (int u = 0; u < Tile::kUnroll; ++u) {
    float key[8];
    unpackVector(keys[u], key);
    LLCUDA_UNROLL
    for (int g = 0; g < Shape::kGroup; ++g) {
      float dot = 0.f;
      LLCUDA_UNROLL
      for (int i = 0; i < 8; ++i) dot = fusedMultiplyAdd(q[g][i], key[i], dot);
      scores[g * Tile::kUnroll + u] = dot;
    }
  }
  groupSum<Tile::kKeyLanes>(scores);
}

/// Turns scores into weights under the new maximum and scales down what was summed under the old one.
template <typename Shape, typename Tile>
LLCUDA_DEVICE void weighScores(float (&scores)[Shape::kGroup * Tile::kUnroll], const bool (&seen)[Tile::kUnroll],
                               const ScoreScale& score, SoftmaxState<Shape::kGroup>& state) {
  LLCUDA_UNROLL
  for (int g = 0; g < Shape::kGroup; ++g) {
    float highest = state.highest[g];
    LLCUDA_UNROLL
    for (int u = 0; u < Tile::kUnroll; ++u) {
      float& s = scores[g * Tile::kUnroll + u];
      s = seen[u] ? score(s) : maskedScore();
      highest = maxOf(highest, s);
    }
    const float shrink = exp2Fast(state.highest[g] - highest);
    state.highest[g] = highest;
    state.sum[g] *= shrink;
    LLCUDA_UNROLL
    for (int i = 0; i < 8; ++i) state.values[g][i] *= shrink;
    LLCUDA_UNROLL
    for (int u = 0; u < Tile::kUnroll; ++u) {
      float& s = scores[g * Tile::kUnroll + u];
      s = exp2Fast(s - highest);
      state.sum[g] += s;
    }
  }
}

/// Adds kUnroll keys and values that start at token `first` of the page to the lane's state.
template <typename Shape, typename Tile>
LLCUDA_DEVICE void attendStep(const Half* kPage, const Half* vPage, int first, int pagePosition, int position,
                              const float (&q)[Shape::kGroup][8], const ScoreScale& score,
                              SoftmaxState<Shape::kGroup>& state) {
  const int vector = laneId() % Tile::kKeyLanes;
  const int part = laneId() / Tile::kKeyLanes;
  uint4 keys[Tile::kUnroll], values[Tile::kUnroll];
  bool seen[Tile::kUnroll];
  LLCUDA_UNROLL
  for (int u = 0; u < Tile::kUnroll; ++u) {
    const int token = first + u * (kWarpSize / Tile::kKeyLanes) + part;
    seen[u] = Shape::sees(position, pagePosition + token);
    const bool wanted = seen[u] && vector < Tile::kVectors;
    keys[u] = loadVector(kPage + token * Shape::kHeadSize + vector * 8, wanted);
    values[u] = loadVector(vPage + token * Shape::kHeadSize + vector * 8, wanted);
  }
  float weights[Shape::kGroup * Tile::kUnroll];
  scoreKeys<Shape, Tile>(q, keys, weights);
  weighScores<Shape, Tile>(weights, seen, score, state);
  LLCUDA_UNROLL
  for (int u = 0; u < Tile::kUnroll; ++u) {
    float value[8];
    unpackVector(values[u], value);
    LLCUDA_UNROLL
    for (int g = 0; g < Shape::kGroup; ++g) LLCUDA_UNROLL
    for (int i = 0; i < 8; ++i)
      state.values[g][i] = fusedMultiplyAdd(weights[g * Tile::kUnroll + u], value[i], state.values[g][i]);
  }
}

/// The pages that a block attends to.
struct PageRange {
  int begin, end;
  int splits; ///< of this row that have pages
};

template <typename Shape, int kSplits>
LLCUDA_DEVICE PageRange pagesOfSplit(int position, int split) {
  const int first = Shape::firstKey(position) / kPageTokens;
  const int end = position / kPageTokens + 1;
  const int perSplit = ceilDivide(end - first, kSplits);
  const int begin = first + split * perSplit;
  return {begin, minOf(begin + perSplit, end), ceilDivide(end - first, perSplit)};
}

/// The lane's state over a range of pages.
template <typename Shape, typename Tile>
LLCUDA_DEVICE void attendPages(const float* qRow, const Half* k, const Half* v, const int* pages, PageRange range,
                               int position, int kvHead, const ScoreScale& score, SoftmaxState<Shape::kGroup>& state) {
  const int vector = laneId() % Tile::kKeyLanes;
  float q[Shape::kGroup][8] = {};
  LLCUDA_UNROLL
  for (int g = 0; g < Shape::kGroup; ++g) {
    state.highest[g] = kLowestScore;
    state.sum[g] = 0.f;
    LLCUDA_UNROLL
    for (int i = 0; i < 8; ++i) state.values[g][i] = 0.f;
    if (vector < Tile::kVectors)
      LLCUDA_UNROLL
    for (int i = 0; i < 2; ++i) {
      const float4 f = loadReadOnly(reinterpret_cast<const float4*>(qRow + g * Shape::kHeadSize + vector * 8) + i);
      q[g][4 * i] = f.x, q[g][4 * i + 1] = f.y, q[g][4 * i + 2] = f.z, q[g][4 * i + 3] = f.w;
    }
  }
  int page = loadReadOnly(pages + range.begin);
  for (int p = range.begin; p < range.end; ++p) {
    const long long start = Shape::pageStart(page, kvHead);
    if (p + 1 < range.end)
      page = loadReadOnly(pages + p + 1);
    LLCUDA_NO_UNROLL
    for (int token = warpId() * Tile::kWarpKeys; token < kPageTokens; token += Tile::kWarps * Tile::kWarpKeys)
      attendStep<Shape, Tile>(k + start, v + start, token, p * kPageTokens, position, q, score, state);
  }
}

/// Brings the states of the block's parts to shared memory. All threads call.
template <typename Shape, typename Tile>
LLCUDA_DEVICE void leaveState(const SoftmaxState<Shape::kGroup>& state, float* values, float2* stats) {
  const int part = static_cast<int>(threadIdx.x) / Tile::kKeyLanes;
  const int vector = laneId() % Tile::kKeyLanes;
  LLCUDA_UNROLL
  for (int g = 0; g < Shape::kGroup; ++g) {
    const float(&v)[8] = state.values[g];
    auto* const to = reinterpret_cast<float4*>(values + part * Shape::kGroupSize + g * Shape::kHeadSize + vector * 8);
    if (vector < Tile::kVectors) {
      to[0] = make_float4(v[0], v[1], v[2], v[3]);
      to[1] = make_float4(v[4], v[5], v[6], v[7]);
    }
    if (vector == 0)
      stats[part * Shape::kGroup + g] = make_float2(state.highest[g], state.sum[g]);
  }
  syncThreads();
}

template <typename Shape, int kSplits>
LLCUDA_DEVICE void attentionDecode(const float* q, const Half* k, const Half* v, const int* positions, const int* slots,
                                   const int* table, ScoreScale score, float* partial, uint32_t* arrivals,
                                   AttentionRows rows) {
  using Tile = DecodeTile<Shape>;
  constexpr int kMaxParts = Tile::kParts > kSplits ? Tile::kParts : kSplits;
  LLCUDA_SHARED(float, values, Tile::kParts* Shape::kGroupSize);
  LLCUDA_SHARED(float2, stats, kMaxParts * Shape::kGroup);
  LLCUDA_SHARED(float, weights, kMaxParts* Shape::kGroup);
  LLCUDA_SHARED(float2, totals, Shape::kGroup);
  const StateMerge<Shape> merge{stats, weights, totals};

  const int kvHead = static_cast<int>(blockIdx.x), split = static_cast<int>(blockIdx.y);
  const int row = static_cast<int>(blockIdx.z), position = positions[row];
  const long long pair = static_cast<long long>(row) * Shape::kKvHeads + kvHead;
  const long long rowStart = pair * Shape::kGroupSize;
  if (position < 0) {
    if (split == 0)
      forEachFour<Shape>(
          [&](int element, bool valid) { rows.store(rowStart + element, make_float4(0.f, 0.f, 0.f, 0.f), valid); });
    return;
  }
  const PageRange range = pagesOfSplit<Shape, kSplits>(position, split);
  if (split >= range.splits)
    return;

  SoftmaxState<Shape::kGroup> state;
  attendPages<Shape, Tile>(q + rowStart, k, v, table + static_cast<long long>(slots[row]) * Shape::kTablePages, range,
                           position, kvHead, score, state);
  leaveState<Shape, Tile>(state, values, stats);
  merge.weigh(Tile::kParts);
  const SplitStates<Shape> states{partial + pair * kSplits * SplitStates<Shape>::kFloats};
  const bool alone = kSplits == 1 || range.splits == 1;
  forEachFour<Shape>([&](int element, bool valid) {
    const float4 sum = merge.value(Tile::kParts, element, [&](int part) {
      return *reinterpret_cast<const float4*>(values + part * Shape::kGroupSize + element);
    });
    if (alone)
      rows.store(rowStart + element, merge.divided(sum, element), valid);
    else if (valid)
      *states.values(split, element) = sum;
  });
  if (alone)
    return;
  if (static_cast<int>(threadIdx.x) < Shape::kGroup)
    states.stats(split)[threadIdx.x] = totals[threadIdx.x];
  if (arriveLast(arrivals + pair, static_cast<uint32_t>(range.splits)))
    mergeSplits(merge, states, range.splits, rowStart, rows);
}

} // namespace llcuda
