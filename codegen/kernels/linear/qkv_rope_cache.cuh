// SPDX-License-Identifier: Apache-2.0
// q, k, v = the three linears of x (+ biases); q and k rotated by the row's position; k and v into the row's page
//
//   weights, x, biases, launch, numerics   decode_linear.cuh; blobs of qN x k and kvN x k: heads one after the other
//   rope      [maxContext][dimensions / 2] float2 {cos, sin}; adjacent elements 2i, 2i + 1 of a head are pair i
//   q         [m][heads][headSize] f32
//   k, v      pages [page][kvHeads], as codegen/formats/kv_type.h says; other types than f16 need Tile::kBlockRows and
//             headSize in multiples of 32
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

/// Where the lane's input row goes: its position, and the page of it, or -1.
struct CachePlace {
  int input, position, page;
};

template <typename Shape, typename Sums>
LLCUDA_DEVICE CachePlace cachePlace(const QkvCache& cache) {
  const int input = Sums::input();
  CachePlace place = {input, -1, -1};
  if (Sums::hasInput())
    place.position = cache.positions[input];
  if (place.position >= 0)
    place.page =
        pageNumber<Shape::kMaxPages>(cache.blockTable, cache.slots[input], place.position / Shape::kPageTokens);
  return place;
}

/// Elements `row`, row + 1 of the part's result, rotated: to q, or to a page of a type without scales.
template <typename Shape>
LLCUDA_DEVICE void storePair(const QkvCache& cache, const CachePlace& place, int part, int row, float2 value) {
  if (part == kQueries) {
    *reinterpret_cast<float2*>(cache.q + place.input * Shape::kQRows + row) = value;
  } else if (place.page >= 0) {
    const int head = row / Shape::kHeadSize, at = row % Shape::kHeadSize;
    const int64_t line = (static_cast<int64_t>(place.page) * Shape::kKvHeads + head) * Shape::kPageTokens +
                         place.position % Shape::kPageTokens;
    Half* pages = reinterpret_cast<Half*>(part == kKeys ? cache.k : cache.v);
    *reinterpret_cast<Half2*>(pages + line * Shape::kHeadSize + at) = bitCast<Half2>(Shape::wordOf(part, value));
  }
}

/// The block's keys or values `tile` [m][kBlockRows], of which the first is row `firstRow` of the part, to their
/// pages. All threads call.
template <typename Shape, KvType kType, typename Tile>
LLCUDA_DEVICE void storeBlocks(const QkvCache& cache, uint8_t* pages, int firstRow, const float* tile) {
  using Rows = KvRows<kType, Shape::kHeadSize>;
  constexpr int kFours = Tile::kBlockRows / 4, kThreads = Tile::kWarps * kWarpSize;
  static_assert(Tile::kBlockRows % kKvBlock == 0, "a block makes whole blocks of the cache");
  LLCUDA_UNROLL
  for (int i0 = 0; i0 < Shape::kM * kFours; i0 += kThreads) {
    const int i = i0 + static_cast<int>(threadIdx.x), input = i / kFours, row = firstRow + i % kFours * 4;
    const bool inside = i < Shape::kM * kFours && row < Shape::kKvRows;
    const int position = inside ? cache.positions[input] : -1;
    const int page = position < 0 ? -1
                                  : pageNumber<Shape::kMaxPages>(cache.blockTable, cache.slots[input],
                                                                 position / Shape::kPageTokens);
    const int64_t head = static_cast<int64_t>(maxOf(page, 0)) * Shape::kKvHeads + row / Shape::kHeadSize;
    Rows::store(pages + head * Rows::kBytes, position % Shape::kPageTokens, row % Shape::kHeadSize / 4,
                reinterpret_cast<const float4*>(tile)[inside ? i : 0], page >= 0);
  }
}

/// Rotates pairs of q and k, and stores q as f32, k and v in their pages.
template <typename Shape, bool kBias>
struct RopeCacheRows {
  static constexpr int kItemRows = 2;
  static constexpr bool kBlocks = kvHasScales(Shape::kKeyType) || kvHasScales(Shape::kValueType);
  QkvCache cache;

  template <typename Tile, int kM>
  static constexpr int tileFloats() {
    return kBlocks ? kM * Tile::kBlockRows : 4;
  }

  /// Where the lane's row goes; angles and biases of the lane's pairs.
  template <int kPairs>
  struct Early {
    CachePlace place;
    float2 angles[kPairs], biases[kPairs];
  };
  template <typename Sums, typename Part>
  LLCUDA_DEVICE Early<Sums::kOwned> load(const Part& part, int firstRow) const {
    Early<Sums::kOwned> early;
    early.place = cachePlace<Shape, Sums>(cache);
    const int position = early.place.position;
    Sums::forEach([&](int i, int r, int) {
      early.angles[i] = make_float2(1.f, 0.f);
      const int row = firstRow + r, pair = row % Shape::kHeadSize / 2;
      if (part.index != kValues && position >= 0 && pair < Shape::kDimensions / 2)
        early.angles[i] = loadReadOnly(cache.rope + position * (Shape::kDimensions / 2) + pair);
      if (kBias)
        early.biases[i] = make_float2(loadReadOnly(part.bias + row), loadReadOnly(part.bias + row + 1));
    });
    return early;
  }

  template <typename Tile, typename Part, typename Early>
  LLCUDA_DEVICE void store(const Part& part, const SumItem& item, const float* sums, const Early& early,
                           float* tile) const {
    float x = sums[0], y = sums[1];
    if (kBias)
      x += early.biases[item.index].x, y += early.biases[item.index].y;
    const float2 angle = early.angles[item.index];
    const float2 pair = make_float2(x * angle.x - y * angle.y, x * angle.y + y * angle.x);
    if (Shape::hasBlocks(part.index))
      *reinterpret_cast<float2*>(tile + item.b * Tile::kBlockRows + item.tileRow) = pair;
    else
      storePair<Shape>(cache, early.place, part.index, item.row, pair);
  }

  template <typename Tile, int kM, typename Part>
  LLCUDA_DEVICE void finish(const Part& part, const float* tile) const {
    if constexpr (kBlocks) {
      if (!Shape::hasBlocks(part.index))
        return; // the whole block
      syncThreads();
      const int firstRow = part.block * Tile::kBlockRows;
      if (part.index == kKeys)
        storeBlocks<Shape, Shape::kKeyType, Tile>(cache, cache.k, firstRow, tile);
      else
        storeBlocks<Shape, Shape::kValueType, Tile>(cache, cache.v, firstRow, tile);
    }
  }
};

template <QkvWeights kWeights, QkvLinearShape kShape, DecodeCut kCut, RopeCacheParts kParts>
LLCUDA_DEVICE void qkvRopeCache(const uint8_t* qWeight, const uint8_t* kWeight, const uint8_t* vWeight, const float* x,
                                const int8_t* xCodes, const float2* xScales, const float* qBias, const float* kRowBias,
                                const float* vBias, const float2* rope, const int* positions, const int* slots,
                                const int* blockTable, float* q, uint8_t* k, uint8_t* v) {
  using Shape = QkvShape<kShape, kParts>;
  decodeLinear<kCut>(QkvParts<kWeights, kShape>{{qWeight, kWeight, vWeight}, {qBias, kRowBias, vBias}},
                     {x, xCodes, xScales},
                     RopeCacheRows<Shape, kParts.bias>{{rope, positions, slots, blockTable, q, k, v}});
}

} // namespace llcuda
