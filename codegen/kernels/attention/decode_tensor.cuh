// SPDX-License-Identifier: Apache-2.0
// Decode attention by tensor cores: 16 keys of a warp are the rows of m16n8k8, and the query heads of the group its
// columns. An f16 holds 11 bits of a number: queries and weights are two, what the first one leaves is the second, so
// that only a cache of fewer bits is rounded, to f16, as prompts round it.
//
// With g = lane / 4 and t = lane % 4, a lane reads
//   keys     g and g + 8, vectors t, t + 4, ...: the order of a dot product's elements is free, so each word of a
//            vector is the lane's part of one product
//   values   of keys 2t, 2t + 1, 2t + 8 and 2t + 9, vectors g, g + 8, ...: element e of a vector and e + 4 are the
//            lane's rows of one product, pairs of keys its columns
// Up to four query heads take two columns each, the second for what is left. More take one, and each product is made
// twice.
#pragma once

#include "codegen/kernels/attention/attention_shape.cuh"
#include "codegen/kernels/attention/attention_variant.cuh"
#include "codegen/kernels/ptx/half.cuh"
#include "codegen/kernels/ptx/load.cuh"
#include "codegen/kernels/ptx/math.cuh"
#include "codegen/kernels/ptx/mma.cuh"

namespace llcuda {

/// The products of a block's keys and values by tensor cores, as attendKeys asks for them.
template <typename Shape>
class TensorProducts {
  static constexpr int kKeyVectors = ceilDivide(Shape::kVectors, 4);   ///< of a key's vectors, a lane's
  static constexpr int kValueVectors = ceilDivide(Shape::kVectors, 8); ///< of a value's
  static constexpr bool kTwoColumns = Shape::kGroup <= 4;
  static constexpr int kProducts = kTwoColumns ? 1 : 2;  ///< a first number and what it leaves
  static constexpr int kLaneHeads = kTwoColumns ? 1 : 2; ///< whose scores and sums a lane holds
  static constexpr int kTiles = 4 * kValueVectors;       ///< of 16 elements of y

  static LLCUDA_DEVICE int quad() { return laneId() / 4; }
  static LLCUDA_DEVICE int inQuad() { return laneId() % 4; }
  static LLCUDA_DEVICE int headOfLane(int h) { return kTwoColumns ? inQuad() : 2 * inQuad() + h; }

  /// Over the lanes of a head.
  static LLCUDA_DEVICE float highestOf(float value) {
    LLCUDA_UNROLL
    for (int mask = 4; mask < kWarpSize; mask *= 2) value = maxOf(value, shuffleXor(value, mask));
    return value;
  }
  static LLCUDA_DEVICE float sumOf(float value) {
    LLCUDA_UNROLL
    for (int mask = 4; mask < kWarpSize; mask *= 2) value += shuffleXor(value, mask);
    return value;
  }
  /// What f16 leaves of a number.
  static LLCUDA_DEVICE float restOf(float value) { return value - toFloat(toHalf(value)); }

public:
  static constexpr int kParts = kDecodeThreads / kWarpSize; ///< softmax states of a block
  static constexpr int kWarpKeys = 16, kStride = kParts * kWarpKeys;

  struct Queries {
    uint32_t of[4 * kKeyVectors][kProducts]; ///< [4j + i]: of vector j of the lane, elements 2i and 2i + 1
  };
  /// Of the head of the lane's column.
  static LLCUDA_DEVICE void load(const float* qRow, Queries& q) {
    const int head = kTwoColumns ? quad() / 2 : quad();
    LLCUDA_UNROLL
    for (int j = 0; j < kKeyVectors; ++j) {
      LLCUDA_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int element = 8 * (4 * j + inQuad()) + 2 * i;
        float2 f = make_float2(0.f, 0.f);
        if (head < Shape::kGroup && element < Shape::kHeadSize)
          f = loadReadOnly(reinterpret_cast<const float2*>(qRow + head * Shape::kHeadSize + element));
        const uint32_t first = wordOfHalves(f.x, f.y), rest = wordOfHalves(restOf(f.x), restOf(f.y));
        if constexpr (kTwoColumns)
          q.of[4 * j + i][0] = quad() % 2 == 0 ? first : rest;
        else
          q.of[4 * j + i][0] = first, q.of[4 * j + i][1] = rest;
      }
    }
  }

  struct Keys {
    typename Shape::Keys::Vector of[kKeyVectors][2];

    LLCUDA_DEVICE void load(const uint8_t* head, int firstKey, int last, const KeySpan& seen) {
      LLCUDA_UNROLL
      for (int j = 0; j < kKeyVectors; ++j) {
        LLCUDA_UNROLL
        for (int r = 0; r < 2; ++r) {
          const int key = firstKey + quad() + 8 * r, vector = 4 * j + inQuad();
          const bool wanted = key <= last && seen.has(key) && vector < Shape::kVectors;
          of[j][r] = Shape::Keys::load(head, key % kPageTokens, vector, wanted);
        }
      }
    }
  };

  struct Values {
    typename Shape::Values::Vector of[kValueVectors][2][2];

    LLCUDA_DEVICE void load(const uint8_t* head, int firstKey, int last, const KeySpan& seen) {
      LLCUDA_UNROLL
      for (int j = 0; j < kValueVectors; ++j) {
        LLCUDA_UNROLL
        for (int r = 0; r < 2; ++r) {
          LLCUDA_UNROLL
          for (int i = 0; i < 2; ++i) {
            const int key = firstKey + 8 * r + 2 * inQuad() + i, vector = 8 * j + quad();
            const bool wanted = key <= last && seen.has(key) && vector < Shape::kVectors;
            of[j][r][i] = Shape::Values::load(head, key % kPageTokens, vector, wanted);
          }
        }
      }
    }
  };

  /// Scores of keys g and g + 8; then their weights, as columns of a product: [r] of keys 8r + 2t and + 1.
  struct Weights {
    float scores[2][kLaneHeads];
    uint32_t columns[2][kProducts];
  };

  LLCUDA_DEVICE TensorProducts() {
    LLCUDA_UNROLL
    for (int h = 0; h < kLaneHeads; ++h) highest[h] = kLowestScore, sum[h] = 0.f;
    LLCUDA_UNROLL
    for (int m = 0; m < kTiles; ++m) {
      LLCUDA_UNROLL
      for (int i = 0; i < 4; ++i) y[m][0][i] = 0.f;
    }
  }

  static LLCUDA_DEVICE void score(const Queries& q, const Keys& keys, Weights& weights) {
    uint32_t a[4 * kKeyVectors][2];
    LLCUDA_UNROLL
    for (int j = 0; j < kKeyVectors; ++j) {
      const int vector = 4 * j + inQuad();
      const uint4 low = Shape::Keys::halves(keys.of[j][0], vector), high = Shape::Keys::halves(keys.of[j][1], vector);
      a[4 * j][0] = low.x, a[4 * j + 1][0] = low.y, a[4 * j + 2][0] = low.z, a[4 * j + 3][0] = low.w;
      a[4 * j][1] = high.x, a[4 * j + 1][1] = high.y, a[4 * j + 2][1] = high.z, a[4 * j + 3][1] = high.w;
    }
    float d[1][kProducts][4] = {};
    mmaF16Sum(d, a, q.of);
    LLCUDA_UNROLL
    for (int r = 0; r < 2; ++r) {
      if constexpr (kTwoColumns) {
        weights.scores[r][0] = d[0][0][2 * r] + d[0][0][2 * r + 1];
      } else {
        LLCUDA_UNROLL
        for (int h = 0; h < kLaneHeads; ++h) weights.scores[r][h] = d[0][0][2 * r + h] + d[0][1][2 * r + h];
      }
    }
  }

  /// Turns scores into weights under the new maximum and scales down what was summed under the old one.
  template <AttentionVariant Variant>
  LLCUDA_DEVICE void weigh(Weights& weights, int firstKey, const KeySpan& seen, const Variant& variant) {
    float shrink[kLaneHeads];
    LLCUDA_UNROLL
    for (int h = 0; h < kLaneHeads; ++h) {
      float most = highest[h];
      LLCUDA_UNROLL
      for (int r = 0; r < 2; ++r) {
        float& s = weights.scores[r][h];
        s = seen.has(firstKey + quad() + 8 * r) ? variant.score(s) * variant.factor() : maskedScore();
        most = maxOf(most, s);
      }
      most = highestOf(most);
      shrink[h] = exp2Fast(highest[h] - most);
      highest[h] = most;
      sum[h] *= shrink[h];
      LLCUDA_UNROLL
      for (int r = 0; r < 2; ++r) {
        weights.scores[r][h] = exp2Fast(weights.scores[r][h] - most);
        sum[h] += weights.scores[r][h];
      }
    }
    LLCUDA_UNROLL
    for (int m = 0; m < kTiles; ++m) {
      LLCUDA_UNROLL
      for (int i = 0; i < 4; ++i) y[m][0][i] *= shrink[i % kLaneHeads];
    }
    LLCUDA_UNROLL
    for (int r = 0; r < 2; ++r) {
      const float(&w)[kLaneHeads] = weights.scores[r];
      if constexpr (kTwoColumns) {
        weights.columns[r][0] = transposed(wordOfHalves(w[0], restOf(w[0])));
      } else {
        weights.columns[r][0] = transposed(wordOfHalves(w[0], w[1]));
        weights.columns[r][1] = transposed(wordOfHalves(restOf(w[0]), restOf(w[1])));
      }
    }
  }

  LLCUDA_DEVICE void add(const Weights& weights, const Values& values) {
    LLCUDA_UNROLL
    for (int r = 0; r < 2; ++r) {
      uint32_t a[kTiles][2];
      LLCUDA_UNROLL
      for (int j = 0; j < kValueVectors; ++j) {
        const int vector = 8 * j + quad();
        const uint4 even = Shape::Values::halves(values.of[j][r][0], vector);
        const uint4 odd = Shape::Values::halves(values.of[j][r][1], vector);
        const uint32_t pairs[4][2] = {{even.x, odd.x}, {even.y, odd.y}, {even.z, odd.z}, {even.w, odd.w}};
        LLCUDA_UNROLL
        for (int e = 0; e < 4; ++e) {
          const uint32_t selector = e % 2 == 0 ? 0x5410u : 0x7632u;
          LLCUDA_UNROLL
          for (int half = 0; half < 2; ++half) {
            const uint32_t(&pair)[2] = pairs[e / 2 + 2 * half];
            a[4 * j + e][half] = bytePermute(pair[0], pair[1], selector);
          }
        }
      }
      LLCUDA_UNROLL
      for (int p = 0; p < kProducts; ++p) {
        const uint32_t b[1] = {weights.columns[r][p]};
        mmaF16Tile(y, a, b);
      }
    }
  }

  /// Brings the state of the warp to shared memory. All threads call.
  LLCUDA_DEVICE void leave(float* values, float2* stats) const {
    LLCUDA_UNROLL
    for (int h = 0; h < kLaneHeads; ++h) {
      const int head = headOfLane(h);
      const float all = sumOf(sum[h]);
      if (head < Shape::kGroup && quad() == 0)
        stats[warpId() * Shape::kGroup + head] = make_float2(highest[h], all);
      LLCUDA_UNROLL
      for (int j = 0; j < kValueVectors; ++j) {
        const int vector = 8 * j + quad();
        auto* const to =
            reinterpret_cast<float4*>(values + warpId() * Shape::kGroupSize + head * Shape::kHeadSize + vector * 8);
        LLCUDA_UNROLL
        for (int half = 0; half < 2; ++half) {
          float f[4];
          LLCUDA_UNROLL
          for (int e = 0; e < 4; ++e) {
            const float(&d)[4] = y[4 * j + e][0];
            f[e] = kTwoColumns ? d[2 * half] + d[2 * half + 1] : d[2 * half + h];
          }
          if (head < Shape::kGroup && vector * 8 + half * 4 < Shape::kHeadSize)
            to[half] = make_float4(f[0], f[1], f[2], f[3]);
        }
      }
    }
    syncThreads();
  }

private:
  float highest[kLaneHeads], sum[kLaneHeads]; ///< sum: of the lane's keys
  float y[kTiles][1][4];
};

} // namespace llcuda
