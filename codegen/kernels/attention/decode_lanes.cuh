// SPDX-License-Identifier: Apache-2.0
// Decode attention by the lanes of a warp: kKeyLanes of them read a key, kLaneVectors times 8 elements each (16 bytes
// of f16), kUnroll keys and values in flight per lane. Exact products of what the cache holds, for every head size and
// type.
#pragma once

#include "codegen/kernels/attention/attention_shape.cuh"
#include "codegen/kernels/attention/attention_variant.cuh"
#include "codegen/kernels/ptx/load.cuh"
#include "codegen/kernels/ptx/math.cuh"

namespace llcuda {

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

/// The products of a block's keys and values by lanes, as attendKeys asks for them.
template <typename Shape>
struct LaneProducts {
  using Tile = DecodeTile<Shape>;
  static constexpr int kParts = Tile::kParts, kWarpKeys = Tile::kWarpKeys, kStride = Tile::kStride;
  using Keys = Vectors<typename Shape::Keys, Tile>;
  using Values = Vectors<typename Shape::Values, Tile>;
  struct Queries {
    float of[Shape::kGroup][Tile::kLaneSize];
  };
  struct Weights {
    float of[Shape::kGroup * Tile::kUnroll];
  };
  LaneState<Shape, Tile> state;

  LLCUDA_DEVICE LaneProducts() {
    LLCUDA_UNROLL
    for (int g = 0; g < Shape::kGroup; ++g) {
      state.highest[g] = kLowestScore;
      state.sum[g] = 0.f;
      LLCUDA_UNROLL
      for (int i = 0; i < Tile::kLaneSize; ++i) state.values[g][i] = 0.f;
    }
  }
  static LLCUDA_DEVICE void load(const float* qRow, Queries& q) { loadQueries<Shape, Tile>(qRow, q.of); }
  static LLCUDA_DEVICE void score(const Queries& q, const Keys& keys, Weights& weights) {
    scoreKeys<Shape, Tile>(q.of, keys, weights.of);
  }
  template <AttentionVariant Variant>
  LLCUDA_DEVICE void weigh(Weights& weights, int firstKey, const KeySpan& seen, const Variant& variant) {
    weighScores<Shape, Tile>(weights.of, firstKey, seen, variant, state);
  }
  LLCUDA_DEVICE void add(const Weights& weights, const Values& values) {
    addValues<Shape, Tile>(weights.of, values, state);
  }
  LLCUDA_DEVICE void leave(float* values, float2* stats) const { leaveState<Shape, Tile>(state, values, stats); }
};

} // namespace llcuda
