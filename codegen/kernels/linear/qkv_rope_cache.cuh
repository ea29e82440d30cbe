// SPDX-License-Identifier: Apache-2.0
// q, k, v = the three linears of x (+ biases); q and k rotated by the row's position; k and v into the row's page
//
//   weights, x, biases, low, launch, numerics   decode_linear.cuh; blobs of qN x k and kvN x k: heads one after the
//   other
//   rope      [maxContext][dimensions / 2] float2 {cos, sin}; adjacent elements 2i, 2i + 1 of a head are pair i
//   q         [m][heads][headSize] f32
//   k, v      pages [page][kvHeads], as codegen/formats/kv_type.h says; other types than f16 need headSize in multiples
//             of 32
//   positions -1: the row writes no page, and what it gets in q is not used; a page of -1 is not written either
//   numerics  the rotation in f32; one rounding to the type of the cache
#pragma once

#include "codegen/kernels/attention/kv_pages.cuh"
#include "codegen/kernels/linear/decode_linear.cuh"

namespace llcuda {

struct RopeCacheParts {
  bool bias = false;
  int headSize;
  int dimensions; ///< of a head that rotate
  int tablePages; ///< of a slot
  KvType keyType = KvType::kF16, valueType = KvType::kF16;
};

template <QkvLinearShape kShape, RopeCacheParts kParts>
struct QkvShape {
  static constexpr int kM = kShape.m, kK = kShape.k, kHeadSize = kParts.headSize, kDimensions = kParts.dimensions;
  static constexpr int kQRows = kShape.qN, kKvRows = kShape.kvN, kKvHeads = kKvRows / kHeadSize;
  static constexpr int kMaxPages = kParts.tablePages;
  static constexpr KvType kKeyType = kParts.keyType, kValueType = kParts.valueType;
  static constexpr int kPageTokens = 64;

  /// Whether a part's rows are stored by blocks of 32, which a block of threads makes together.
  static LLCUDA_DEVICE bool hasBlocks(int part) {
    return (part == kKeys && kvHasScales(kKeyType)) || (part == kValues && kvHasScales(kValueType));
  }
  /// Two neighbouring elements as a part without blocks stores them.
  static LLCUDA_DEVICE uint32_t wordOf(int part, float2 value) {
    constexpr KvType kKeyWords = kvHasScales(kKeyType) ? KvType::kF16 : kKeyType;
    constexpr KvType kValueWords = kvHasScales(kValueType) ? kKeyWords : kValueType;
    return part == kKeys || kKeyWords == kValueWords ? KvRows<kKeyWords, kHeadSize>::wordOf(value.x, value.y)
                                                     : KvRows<kValueWords, kHeadSize>::wordOf(value.x, value.y);
  }
};

/// What the launch needs beside weights and input.
struct QkvCache {
  const float2* rope;
  const int *positions, *slots, *blockTable;
  float* q;
  uint8_t *k, *v;
};

/// Where an input row goes: its position, and the page of it, or -1.
struct CachePlace {
  int position, page;
};

template <typename Shape>
LLCUDA_DEVICE CachePlace cachePlace(const QkvCache& cache, int input) {
  const int position = cache.positions[input];
  return {position, position < 0 ? -1
                                 : pageNumber<Shape::kMaxPages>(cache.blockTable, cache.slots[input],
                                                                position / Shape::kPageTokens)};
}

/// Elements `item.row` and the next of the part's result, rotated: to q, or to a page of a type without scales.
template <typename Shape>
LLCUDA_DEVICE void storePair(const QkvCache& cache, const CachePlace& place, int part, const SumItem& item,
                             float2 value) {
  if (part == kQueries) {
    *reinterpret_cast<float2*>(cache.q + item.b * Shape::kQRows + item.row) = value;
  } else if (place.page >= 0) {
    const int head = item.row / Shape::kHeadSize, at = item.row % Shape::kHeadSize;
    const int64_t line = (static_cast<int64_t>(place.page) * Shape::kKvHeads + head) * Shape::kPageTokens +
                         place.position % Shape::kPageTokens;
    Half* pages = reinterpret_cast<Half*>(part == kKeys ? cache.k : cache.v);
    *reinterpret_cast<Half2*>(pages + line * Shape::kHeadSize + at) = bitCast<Half2>(Shape::wordOf(part, value));
  }
}

/// Four elements of keys or values to the page of a type with scales. All lanes of a warp call.
template <typename Shape, KvType kType>
LLCUDA_DEVICE void storeFour(uint8_t* pages, const CachePlace& place, const SumItem& item, float4 values) {
  using Rows = KvRows<kType, Shape::kHeadSize>;
  const int64_t head = static_cast<int64_t>(maxOf(place.page, 0)) * Shape::kKvHeads + item.row / Shape::kHeadSize;
  Rows::store(pages + head * Rows::kBytes, maxOf(place.position, 0) % Shape::kPageTokens,
              item.row % Shape::kHeadSize / 4, values, item.valid && place.page >= 0);
}

/// Rotates pairs of q and k, and stores q as f32, k and v in their pages.
template <typename Shape, bool kBias>
struct RopeCacheRows {
  static constexpr bool kBlocks = kvHasScales(Shape::kKeyType) || kvHasScales(Shape::kValueType);
  static constexpr int kPairs = kBlocks ? 2 : 1, kItemRows = 2 * kPairs;
  QkvCache cache;

  /// Where the item's row goes; angles and biases of its pairs.
  struct Early {
    CachePlace place = {-1, -1};
    float2 angles[kPairs], biases[kPairs];
  };
  template <typename Part>
  LLCUDA_DEVICE Early load(const Part& part, const SumItem& item) const {
    Early early;
    early.place = cachePlace<Shape>(cache, item.b);
    const int position = early.place.position;
    LLCUDA_UNROLL
    for (int i = 0; i < kPairs; ++i) {
      early.angles[i] = make_float2(1.f, 0.f);
      const int row = item.row + 2 * i, pair = row % Shape::kHeadSize / 2;
      if (part.index != kValues && position >= 0 && pair < Shape::kDimensions / 2)
        early.angles[i] = loadReadOnly(cache.rope + position * (Shape::kDimensions / 2) + pair);
      if (kBias)
        early.biases[i] = make_float2(loadReadOnly(part.bias + row), loadReadOnly(part.bias + row + 1));
    }
    return early;
  }

  template <typename Part>
  LLCUDA_DEVICE void store(const Part& part, const SumItem& item, const float* sums, const Early& early) const {
    float2 pairs[kPairs];
    LLCUDA_UNROLL
    for (int i = 0; i < kPairs; ++i) {
      float x = sums[2 * i], y = sums[2 * i + 1];
      if (kBias)
        x += early.biases[i].x, y += early.biases[i].y;
      const float2 angle = early.angles[i];
      pairs[i] = make_float2(x * angle.x - y * angle.y, x * angle.y + y * angle.x);
    }
    if constexpr (kBlocks) {
      if (Shape::hasBlocks(part.index)) { // the whole block
        const float4 four = make_float4(pairs[0].x, pairs[0].y, pairs[1].x, pairs[1].y);
        if (part.index == kKeys)
          storeFour<Shape, Shape::kKeyType>(cache.k, early.place, item, four);
        else
          storeFour<Shape, Shape::kValueType>(cache.v, early.place, item, four);
        return;
      }
    }
    LLCUDA_UNROLL
    for (int i = 0; i < kPairs; ++i)
      if (item.valid)
        storePair<Shape>(cache, early.place, part.index, {item.row + 2 * i, item.b, true}, pairs[i]);
  }

  template <int kThreads, int kM, typename Part>
  LLCUDA_DEVICE void finish(const Part&, uint32_t) const {}
};

template <QkvWeights kWeights, QkvLinearShape kShape, DecodeCut kCut, RopeCacheParts kParts, int kLowRank = 0>
LLCUDA_DEVICE void qkvRopeCache(const uint8_t* qWeight, const uint8_t* kWeight, const uint8_t* vWeight, const float* x,
                                const int8_t* xCodes, const float2* xScales, const float* qBias, const float* kRowBias,
                                const float* vBias, const float2* rope, const int* positions, const int* slots,
                                const int* blockTable, float* q, uint8_t* k, uint8_t* v, const LowRank& low = {}) {
  using Shape = QkvShape<kShape, kParts>;
  decodeLinear<kCut, kLowRank>(QkvParts<kWeights, kShape>{{qWeight, kWeight, vWeight}, {qBias, kRowBias, vBias}},
                               {x, xCodes, xScales},
                               RopeCacheRows<Shape, kParts.bias>{{rope, positions, slots, blockTable, q, k, v}}, low);
}

} // namespace llcuda
