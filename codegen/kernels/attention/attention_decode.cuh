// SPDX-License-Identifier: Apache-2.0
// y[r][h] = softmax over the keys j that row r sees of score(q[r][h] . k[j][g]) times v[j][g], g = h / group;
// the variant says what a row sees, the score and the denominator of the softmax
//
//   launch     grid (groups of query heads, kCut.splits, rows), block kDecodeThreads; numbers from attention_tiles.h
//   q          [rows][heads][head size] f32, 16-byte aligned
//   k, v       pages of AttentionShape; the row's own key and value are already there
//   positions  [rows]; -1: the row becomes zeros and nothing else is read
//   table      [slots][table pages]: page of 64 positions each; -1 where the row sees none of them
//   partial    [rows][groups][kCut.splits][decodePartialFloats] f32 and arrivals [rows][groups], zero between
//              launches; unused (null) when kCut.splits is 1
//   output     rows of heads * head size: f32 rows, int8 rows, or both
//   numerics   f32 inside, over the values that the cache holds
//   sm_75      the query heads of a group, up to eight of a kv head's, share its loads. A key is read by kKeyLanes
//              lanes, kLaneVectors times 8 elements each (16 bytes of f16), kUnroll keys and values in flight per lane.
//              Each split takes a contiguous range of the keys in use, in units of kSplitTokens; splits without keys
//              leave at once, and the last one to arrive merges
#pragma once

#include "codegen/kernels/attention/attention_variant.cuh"
#include "codegen/kernels/attention/state_merge.cuh"
#include "codegen/kernels/block/last_block.cuh"

namespace llcuda {

/// Blocks that share the context of a row.
struct ContextCut {
  int splits;
};

/// How the lanes of a block divide the keys among themselves.
template <typename Shape>
struct DecodeTile {
  static constexpr int kVectors = Shape::kVectors; ///< of a key
  static constexpr int kKeyLanes = decodeKeyLanes(Shape::kHeadSize);
  static constexpr bool kWhole = Shape::kHeadSize % 8 == 0; ///< else the last vector has four elements
  static constexpr int kWarps = kDecodeThreads / kWarpSize;
  static constexpr int kParts = kDecodeThreads / kKeyLanes; ///< groups of lanes with a softmax of their own
  static constexpr int kLaneVectors = decodeLaneVectors(Shape::kHeadSize);
  static constexpr int kLaneSize = 8 * kLaneVectors; ///< elements of a lane
  static constexpr int kUnroll = Shape::kGroup <= 4 && kLaneVectors == 1 ? 4 : 2;
  static constexpr int kWarpKeys = kWarpSize / kKeyLanes * kUnroll; ///< keys a warp takes at a time
  static constexpr int kStride = kWarps * kWarpKeys;
  static constexpr int kSplitTokens = decodeSplitTokens(Shape::kHeadSize);

  /// Of a key's vectors, which one is the lane's j-th.
  static LLCUDA_DEVICE int vectorOf(int j) { return j * kKeyLanes + laneId() % kKeyLanes; }
  /// Whether the key has elements of four `half` of a vector.
  static LLCUDA_DEVICE bool hasFour(int vector, int half) {
    return kWhole ? vector < kVectors : vector * 8 + half * 4 < Shape::kHeadSize;
  }
  /// Of a warp's keys of a step, which one is the lane's u-th.
  static LLCUDA_DEVICE int keyOfLane(int u) { return u * (kWarpSize / kKeyLanes) + laneId() / kKeyLanes; }

  static_assert(kSplitTokens % kWarpKeys == 0 && kPageTokens % kSplitTokens == 0, "keys of a step lie in one page");
};

/// Maximum, sum of weights, and weighted sum of values, for the query heads of a kv head; kLaneSize elements a lane.
template <int kGroup, int kLaneSize>
struct SoftmaxState {
  float highest[kGroup];
  float sum[kGroup];
  float values[kGroup][kLaneSize];
};
template <typename Shape, typename Tile>
using LaneState = SoftmaxState<Shape::kGroup, Tile::kLaneSize>;

/// kUnroll keys or values of each part, kLaneSize elements a lane, on their way or there.
template <typename Rows, typename Tile>
struct Vectors {
  typename Rows::Vector of[Tile::kUnroll][Tile::kLaneVectors];

  /// Those of the warp's keys from `firstKey` on, which lie in the page whose kv head begins at `head`; zeros for those
  /// past `last` and those that the row does not see.
  LLCUDA_DEVICE void load(const uint8_t* head, int firstKey, int last, const KeySpan& seen) {
    LLCUDA_UNROLL
    for (int u = 0; u < Tile::kUnroll; ++u) {
      const int key = firstKey + Tile::keyOfLane(u);
      LLCUDA_UNROLL
      for (int j = 0; j < Tile::kLaneVectors; ++j) {
        const int vector = Tile::vectorOf(j);
        const bool wanted = key <= last && seen.has(key) && vector < Tile::kVectors;
        of[u][j] = Rows::load(head, key % kPageTokens, vector, wanted);
      }
    }
  }
};

/// Dot products of kUnroll keys with every query head: scores[g * kUnroll + u], in all lanes of the key.
template <typename Shape, typename Tile>
LLCUDA_DEVICE void scoreKeys(const float (&q)[Shape::kGroup][Tile::kLaneSize],
                             const Vectors<typename Shape::Keys, Tile>& keys,
                             float (&scores)[Shape::kGroup * Tile::kUnroll]) {
  LLCUDA_UNROLL
  for (int u = 0; u < Tile::kUnroll; ++u) {
    LLCUDA_UNROLL
    for (int j = 0; j < Tile::kLaneVectors; ++j) {
      float key[8];
      const float factor = Shape::Keys::unpack(keys.of[u][j], Tile::vectorOf(j), key);
      LLCUDA_UNROLL
      for (int g = 0; g < Shape::kGroup; ++g) {
        float dot = 0.f;
        LLCUDA_UNROLL
        for (int i = 0; i < 8; ++i) dot = fusedMultiplyAdd(q[g][8 * j + i], key[i], dot);
        float& score = scores[g * Tile::kUnroll + u];
        score = j == 0 ? dot * factor : fusedMultiplyAdd(dot, factor, score);
      }
    }
  }
  groupSum<Tile::kKeyLanes>(scores);
}

/// Turns scores into weights under the new maximum and scales down what was summed under the old one.
template <typename Shape, typename Tile, AttentionVariant Variant>
LLCUDA_DEVICE void weighScores(float (&scores)[Shape::kGroup * Tile::kUnroll], int firstKey, const KeySpan& seen,
                               const Variant& variant, LaneState<Shape, Tile>& state) {
  LLCUDA_UNROLL
  for (int g = 0; g < Shape::kGroup; ++g) {
    float highest = state.highest[g];
    LLCUDA_UNROLL
    for (int u = 0; u < Tile::kUnroll; ++u) {
      float& s = scores[g * Tile::kUnroll + u];
      s = seen.has(firstKey + Tile::keyOfLane(u)) ? variant.score(s) * variant.factor() : maskedScore();
      highest = maxOf(highest, s);
    }
    const float shrink = exp2Fast(state.highest[g] - highest);
    state.highest[g] = highest;
    state.sum[g] *= shrink;
    LLCUDA_UNROLL
    for (int i = 0; i < Tile::kLaneSize; ++i) state.values[g][i] *= shrink;
    LLCUDA_UNROLL
    for (int u = 0; u < Tile::kUnroll; ++u) {
      float& s = scores[g * Tile::kUnroll + u];
      s = exp2Fast(s - highest);
      state.sum[g] += s;
    }
  }
}

/// Adds kUnroll values of each part, times their weights, to the lane's state.
template <typename Shape, typename Tile>
LLCUDA_DEVICE void addValues(const float (&weights)[Shape::kGroup * Tile::kUnroll],
                             const Vectors<typename Shape::Values, Tile>& values, LaneState<Shape, Tile>& state) {
  LLCUDA_UNROLL
  for (int u = 0; u < Tile::kUnroll; ++u) {
    LLCUDA_UNROLL
    for (int j = 0; j < Tile::kLaneVectors; ++j) {
      float value[8];
      const float factor = Shape::Values::unpack(values.of[u][j], Tile::vectorOf(j), value);
      LLCUDA_UNROLL
      for (int g = 0; g < Shape::kGroup; ++g) {
        const float weight = weights[g * Tile::kUnroll + u] * factor;
        LLCUDA_UNROLL
        for (int i = 0; i < 8; ++i)
          state.values[g][8 * j + i] = fusedMultiplyAdd(weight, value[i], state.values[g][8 * j + i]);
      }
    }
  }
}

/// The keys that a block attends to: [begin, end), not all of which the row sees.
struct KeyRange {
  int begin, end;
  int splits; ///< of this row that have keys
};

template <typename Shape, int kSplits>
LLCUDA_DEVICE KeyRange keysOfSplit(const KeySpan& seen, int split) {
  constexpr int kUnit = DecodeTile<Shape>::kSplitTokens;
  const int first = seen.begin() / kUnit;
  const int end = seen.last / kUnit + 1;
  const int perSplit = ceilDivide(end - first, kSplits);
  const int begin = first + split * perSplit;
  return {begin * kUnit, minOf(begin + perSplit, end) * kUnit, ceilDivide(end - first, perSplit)};
}

/// The lane's elements of every query head; zeros in lanes that have none.
template <typename Shape, typename Tile>
LLCUDA_DEVICE void loadQueries(const float* qRow, float (&q)[Shape::kGroup][Tile::kLaneSize]) {
  LLCUDA_UNROLL
  for (int g = 0; g < Shape::kGroup; ++g) {
    LLCUDA_UNROLL
    for (int i = 0; i < 2 * Tile::kLaneVectors; ++i) {
      const int vector = Tile::vectorOf(i / 2), half = i % 2;
      float4 f = make_float4(0.f, 0.f, 0.f, 0.f);
      if (Tile::hasFour(vector, half))
        f = loadReadOnly(reinterpret_cast<const float4*>(qRow + g * Shape::kHeadSize + vector * 8) + half);
      q[g][4 * i] = f.x, q[g][4 * i + 1] = f.y, q[g][4 * i + 2] = f.z, q[g][4 * i + 3] = f.w;
    }
  }
}

/// A row of the launch, as a block sees it.
struct DecodeRow {
  KeySpan seen;
  int slot, kvHead;
};

/// The lane's state over a range of keys. The keys and values of the next step are on their way as soon as those of
/// this one are used, and the number of the page after it.
template <typename Shape, typename Tile, AttentionVariant Variant>
LLCUDA_DEVICE void attendKeys(const float* qRow, const uint8_t* k, const uint8_t* v, const int* table, KeyRange range,
                              const DecodeRow& row, const Variant& variant, LaneState<Shape, Tile>& state) {
  float q[Shape::kGroup][Tile::kLaneSize];
  loadQueries<Shape, Tile>(qRow, q);
  LLCUDA_UNROLL
  for (int g = 0; g < Shape::kGroup; ++g) {
    state.highest[g] = kLowestScore;
    state.sum[g] = 0.f;
    LLCUDA_UNROLL
    for (int i = 0; i < Tile::kLaneSize; ++i) state.values[g][i] = 0.f;
  }
  const int last = minOf(range.end - 1, row.seen.last);
  const auto pageOf = [&](int key) { return Shape::page(table, row.slot, minOf(key, last) / kPageTokens); };
  int key = range.begin + warpId() * Tile::kWarpKeys;
  if (key > last)
    return;
  Vectors<typename Shape::Keys, Tile> keys;
  Vectors<typename Shape::Values, Tile> values;
  const auto loadKeys = [&](int page, int from) {
    keys.load(k + Shape::template headStart<typename Shape::Keys>(page, row.kvHead), from, last, row.seen);
  };
  const auto loadValues = [&](int page, int from) {
    values.load(v + Shape::template headStart<typename Shape::Values>(page, row.kvHead), from, last, row.seen);
  };
  int page = pageOf(key), next = pageOf(key + Tile::kStride);
  loadKeys(page, key);
  loadValues(page, key);
  LLCUDA_NO_UNROLL
  for (; key <= last; key += Tile::kStride) {
    page = next;
    next = pageOf(key + 2 * Tile::kStride);
    float weights[Shape::kGroup * Tile::kUnroll];
    scoreKeys<Shape, Tile>(q, keys, weights);
    loadKeys(page, key + Tile::kStride);
    weighScores<Shape, Tile>(weights, key, row.seen, variant, state);
    addValues<Shape, Tile>(weights, values, state);
    loadValues(page, key + Tile::kStride);
  }
}

/// Brings the states of the block's parts to shared memory. All threads call.
template <typename Shape, typename Tile>
LLCUDA_DEVICE void leaveState(const LaneState<Shape, Tile>& state, float* values, float2* stats) {
  const int part = static_cast<int>(threadIdx.x) / Tile::kKeyLanes;
  LLCUDA_UNROLL
  for (int g = 0; g < Shape::kGroup; ++g) {
    LLCUDA_UNROLL
    for (int j = 0; j < Tile::kLaneVectors; ++j) {
      const int vector = Tile::vectorOf(j);
      const float* const v = state.values[g] + 8 * j;
      auto* const to = reinterpret_cast<float4*>(values + part * Shape::kGroupSize + g * Shape::kHeadSize + vector * 8);
      if (vector < Tile::kVectors) {
        to[0] = make_float4(v[0], v[1], v[2], v[3]);
        if (Tile::kWhole || Tile::hasFour(vector, 1))
          to[1] = make_float4(v[4], v[5], v[6], v[7]);
      }
    }
    if (laneId() % Tile::kKeyLanes == 0)
      stats[part * Shape::kGroup + g] = make_float2(state.highest[g], state.sum[g]);
  }
  syncThreads();
}

template <AttentionShape kShape, ContextCut kCut, RowForms kForms, AttentionVariant Variant>
LLCUDA_DEVICE void attentionDecode(const float* q, const uint8_t* k, const uint8_t* v, const int* positions,
                                   const int* slots, const int* table, Variant variant, float* partial,
                                   uint32_t* arrivals, RowOutput<kForms> rows) {
  using Shape = AttentionTraits<kShape>;
  using Tile = DecodeTile<Shape>;
  constexpr int kSplits = kCut.splits;
  constexpr DecodeShared kShared = decodeShared(Shape::kGroup, Shape::kHeadSize, kSplits);
  LLCUDA_SHARED(float, values, kShared.values);
  LLCUDA_SHARED(float2, stats, kShared.stats);
  LLCUDA_SHARED(float, weights, kShared.weights);
  LLCUDA_SHARED(float2, totals, kShared.totals);
  const int group = static_cast<int>(blockIdx.x), split = static_cast<int>(blockIdx.y);
  const StateMerge<Shape, Variant> merge{variant, group * Shape::kGroup, stats, weights, totals};
  const int kvHead = group / (Shape::kSharers / Shape::kGroup);
  const int row = static_cast<int>(blockIdx.z), position = positions[row];
  const long long pair = static_cast<long long>(row) * Shape::kGroups + group;
  const RowOutput<kForms> output = rows.row(row, Shape::kHeads * Shape::kHeadSize);
  const auto store = [&](int element, float4 v, bool valid) {
    output.store((group * Shape::kGroupSize + element) / 4, v, valid);
  };
  if (position < 0) {
    if (split == 0)
      forEachFour<Shape>([&](int element, bool valid) { store(element, make_float4(0.f, 0.f, 0.f, 0.f), valid); });
    return;
  }
  const KeySpan seen = variant.keys(position, slots[row]);
  const KeyRange range = keysOfSplit<Shape, kSplits>(seen, split);
  if (split >= range.splits)
    return;

  LaneState<Shape, Tile> state;
  attendKeys<Shape, Tile>(q + pair * Shape::kGroupSize, k, v, table, range, {seen, slots[row], kvHead}, variant, state);
  leaveState<Shape, Tile>(state, values, stats);
  merge.weigh(Tile::kParts);
  const SplitStates<Shape> states{partial + pair * kSplits * SplitStates<Shape>::kFloats};
  const bool alone = kSplits == 1 || range.splits == 1;
  forEachFour<Shape>([&](int element, bool valid) {
    const float4 sum = merge.template value<8>(Tile::kParts, element, [&](int part) {
      return *reinterpret_cast<const float4*>(values + part * Shape::kGroupSize + element);
    });
    if (alone)
      store(element, merge.divided(sum, element), valid);
    else if (valid)
      *states.values(split, element) = sum;
  });
  if (alone)
    return;
  if (static_cast<int>(threadIdx.x) < Shape::kGroup)
    states.stats(split)[threadIdx.x] = totals[threadIdx.x];
  if (arriveLast(arrivals + pair, static_cast<uint32_t>(range.splits)))
    mergeSplits(merge, states, range.splits, store);
}

} // namespace llcuda
