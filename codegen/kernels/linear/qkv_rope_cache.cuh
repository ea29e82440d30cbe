// SPDX-License-Identifier: Apache-2.0
// q, k, v = the three linears of x (+ biases); q and k rotated by the row's position; k and v into the row's page
//
//   launch    grid (blocks of q, then of k, then of v: qkv_parts.cuh), block (32 * kCut.warps):
//             codegen/spec/decode_tile.cpp
//   weights   blobs of qN x k and kvN x k, each in its layout: heads one after the other
//   inputs    int8 rows, f32 rows or both, as the layouts read
//   rope      [maxContext][dimensions / 2] float2 {cos, sin}; adjacent elements 2i, 2i + 1 of a head are pair i
//   q         [m][heads][headSize] f32
//   k, v      pages [page][kvHeads], as codegen/formats/kv_type.h says; other types than f16 need Tile::kBlockRows and
//             headSize in multiples of 32
//   positions -1: the row writes no page, and what it gets in q is not used; a page of -1 is not written either
//   numerics  as `linear`; the rotation in f32; one rounding to the type of the cache
#pragma once

#include "codegen/kernels/attention/kv_pages.cuh"
#include "codegen/kernels/linear/linear.cuh"
#include "codegen/kernels/linear/qkv_parts.cuh"

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
  static LLCUDA_DEVICE bool hasBlocks(QkvPart::Role role) {
    return (role == QkvPart::kK && kvHasScales(kKeyType)) || (role == QkvPart::kV && kvHasScales(kValueType));
  }
  /// Two neighbouring elements as a part without blocks stores them.
  static LLCUDA_DEVICE uint32_t wordOf(QkvPart::Role role, float2 value) {
    constexpr KvType kKeys = kvHasScales(kKeyType) ? KvType::kF16 : kKeyType;
    constexpr KvType kValues = kvHasScales(kValueType) ? kKeys : kValueType;
    return role == QkvPart::kK || kKeys == kValues ? KvRows<kKeys, kHeadSize>::wordOf(value.x, value.y)
                                                   : KvRows<kValues, kHeadSize>::wordOf(value.x, value.y);
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
LLCUDA_DEVICE void storePair(const QkvCache& cache, const CachePlace& place, QkvPart::Role role, int row,
                             float2 value) {
  if (role == QkvPart::kQ) {
    *reinterpret_cast<float2*>(cache.q + place.input * Shape::kQRows + row) = value;
  } else if (place.page >= 0) {
    const int head = row / Shape::kHeadSize, at = row % Shape::kHeadSize;
    const int64_t line = (static_cast<int64_t>(place.page) * Shape::kKvHeads + head) * Shape::kPageTokens +
                         place.position % Shape::kPageTokens;
    Half* pages = reinterpret_cast<Half*>(role == QkvPart::kK ? cache.k : cache.v);
    *reinterpret_cast<Half2*>(pages + line * Shape::kHeadSize + at) = bitCast<Half2>(Shape::wordOf(role, value));
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

/// What a lane adds to a pair of sums and turns it by.
template <int kPairs>
struct PairTurns {
  float2 angles[kPairs], biases[kPairs];
};

/// Angles and biases of the lane's pairs; they are on the way while the weights are.
template <typename Shape, bool kBias, typename Sums>
LLCUDA_DEVICE PairTurns<Sums::kOwned> pairTurns(const QkvPart& part, const GroupRows& rows, const CachePlace& place,
                                                const float2* rope) {
  PairTurns<Sums::kOwned> turns;
  Sums::forEach([&](int i, int r, int) {
    turns.angles[i] = make_float2(1.f, 0.f);
    const int row = rows.first + r, pair = row % Shape::kHeadSize / 2;
    if (part.role != QkvPart::kV && place.position >= 0 && pair < Shape::kDimensions / 2)
      turns.angles[i] = loadReadOnly(rope + place.position * (Shape::kDimensions / 2) + pair);
    if (kBias)
      turns.biases[i] = make_float2(loadReadOnly(part.bias + row), loadReadOnly(part.bias + row + 1));
  });
  return turns;
}

/// `tile`: Shape::kM * kBlockRows floats in shared memory, for parts that are stored by blocks.
template <typename Shape, WeightLayout kLayout, typename Tile, bool kBias>
LLCUDA_DEVICE void qkvPartRound(const QkvPart& part, const InputRows& inputs, const QkvCache& cache, int round,
                                float* tile) {
  static_assert(Tile::kRows % 2 == 0, "a group holds whole pairs");
  using Sums = GroupSums<Tile, Shape::kM, 1, 2>;
  const GroupRows rows = groupRows<Tile>(part.block, round, part.rows);
  const CachePlace place = cachePlace<Shape, Sums>(cache);
  const PairTurns<Sums::kOwned> turns = pairTurns<Shape, kBias, Sums>(part, rows, place, cache.rope);
  Sums sums;
  multiplyPart<kLayout, Shape::kK, Shape::kM, Tile>(part, rows, inputs, sums);
  sums.forOwned(rows.firstOwned, [&](int i, int r, int b) {
    float x = sums.own[2 * i], y = sums.own[2 * i + 1];
    if (kBias)
      x += turns.biases[i].x, y += turns.biases[i].y;
    const float2 angle = turns.angles[i];
    const float2 pair = make_float2(x * angle.x - y * angle.y, x * angle.y + y * angle.x);
    if (Shape::hasBlocks(part.role))
      *reinterpret_cast<float2*>(tile + b * Tile::kBlockRows + round * Tile::kRoundRows + Tile::groupRow() + r) = pair;
    else
      storePair<Shape>(cache, place, part.role, rows.first + r, pair);
  });
}

template <QkvWeights kWeights, QkvLinearShape kShape, DecodeCut kCut, RopeCacheParts kParts>
LLCUDA_DEVICE void qkvRopeCache(const uint8_t* qWeight, const uint8_t* kWeight, const uint8_t* vWeight, const float* x,
                                const int8_t* xCodes, const float2* xScales, const float* qBias, const float* kRowBias,
                                const float* vBias, const float2* rope, const int* positions, const int* slots,
                                const int* blockTable, float* q, uint8_t* k, uint8_t* v) {
  using Shape = QkvShape<kShape, kParts>;
  using Tile = DecodeTile<kCut>;
  const QkvCache cache = {rope, positions, slots, blockTable, q, k, v};
  const QkvPart part = qkvPartOf<Shape, Tile>(blockIdx.x, {qWeight, kWeight, vWeight}, {qBias, kRowBias, vBias});
  constexpr bool kBlocks = kvHasScales(Shape::kKeyType) || kvHasScales(Shape::kValueType);
  LLCUDA_SHARED(float, tile, kBlocks ? kShape.m* Tile::kBlockRows : 4);
  withLayoutOf<kWeights>(part.role, [&]<WeightLayout kLayout>() {
    LLCUDA_NO_UNROLL
    for (int round = 0; round < Tile::kRounds; ++round)
      qkvPartRound<Shape, kLayout, Tile, kParts.bias>(part, {x, xCodes, xScales}, cache, round, tile);
  });
  if constexpr (kBlocks) {
    if (!Shape::hasBlocks(part.role))
      return; // the whole block
    syncThreads();
    const int firstRow = part.block * Tile::kBlockRows;
    if (part.role == QkvPart::kK)
      storeBlocks<Shape, Shape::kKeyType, Tile>(cache, k, firstRow, tile);
    else
      storeBlocks<Shape, Shape::kValueType, Tile>(cache, v, firstRow, tile);
  }
}

} // namespace llcuda
