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
//   numerics   f32 inside; over the values that the cache holds, but over their f16 where tensor cores multiply keys
//              and values of fewer bits: both are rounded once, as prompts round them
//   sm_75      the query heads of a group, up to eight of a kv head's, share its loads; decode_tensor.cuh and
//              decode_lanes.cuh multiply. Each split takes a contiguous range of the keys in use, in units of
//              decodeSplitTokens; splits without keys leave at once, and the last one to arrive merges
#pragma once

#include "codegen/kernels/attention/attention_variant.cuh"
#include "codegen/kernels/attention/decode_lanes.cuh"
#include "codegen/kernels/attention/decode_tensor.cuh"
#include "codegen/kernels/attention/state_merge.cuh"
#include "codegen/kernels/block/last_block.cuh"

namespace llcuda {

/// Blocks that share the context of a row.
struct ContextCut {
  int splits;
};

/// How the products of keys and values are made.
template <typename Shape, bool kByTensorCores = Shape::kDecodesByTensorCores>
struct ProductsOf {
  using Type = TensorProducts<Shape>;
};
template <typename Shape>
struct ProductsOf<Shape, false> {
  using Type = LaneProducts<Shape>;
};

/// The keys that a block attends to: [begin, end), not all of which the row sees.
struct KeyRange {
  int begin, end;
  int splits; ///< of this row that have keys
};

template <typename Shape, int kSplits>
LLCUDA_DEVICE KeyRange keysOfSplit(const KeySpan& seen, int split) {
  constexpr int kUnit = decodeSplitTokens(Shape::kHeadSize);
  const int first = seen.begin() / kUnit;
  const int end = seen.last / kUnit + 1;
  const int perSplit = ceilDivide(end - first, kSplits);
  const int begin = first + split * perSplit;
  return {begin * kUnit, minOf(begin + perSplit, end) * kUnit, ceilDivide(end - first, perSplit)};
}

/// A row of the launch, as a block sees it.
struct DecodeRow {
  KeySpan seen;
  int slot, kvHead;
};

/// Attends to a range of keys. The keys and values of the next step are on their way as soon as those of this one are
/// used, and the number of the page after it.
template <typename Shape, typename Products, AttentionVariant Variant>
LLCUDA_DEVICE void attendKeys(const float* qRow, const uint8_t* k, const uint8_t* v, const int* table, KeyRange range,
                              const DecodeRow& row, const Variant& variant, Products& products) {
  const int last = minOf(range.end - 1, row.seen.last);
  const auto pageOf = [&](int key) { return Shape::page(table, row.slot, minOf(key, last) / kPageTokens); };
  int key = range.begin + warpId() * Products::kWarpKeys;
  if (key > last)
    return;
  typename Products::Queries q;
  typename Products::Keys keys;
  typename Products::Values values;
  typename Products::Weights weights;
  Products::load(qRow, q);
  const auto loadKeys = [&](int page, int from) {
    keys.load(k + Shape::template headStart<typename Shape::Keys>(page, row.kvHead), from, last, row.seen);
  };
  const auto loadValues = [&](int page, int from) {
    values.load(v + Shape::template headStart<typename Shape::Values>(page, row.kvHead), from, last, row.seen);
  };
  int page = pageOf(key), next = pageOf(key + Products::kStride);
  loadKeys(page, key);
  loadValues(page, key);
  LLCUDA_NO_UNROLL
  for (; key <= last; key += Products::kStride) {
    page = next;
    next = pageOf(key + 2 * Products::kStride);
    Products::score(q, keys, weights);
    loadKeys(page, key + Products::kStride);
    products.weigh(weights, key, row.seen, variant);
    products.add(weights, values);
    loadValues(page, key + Products::kStride);
  }
}

template <AttentionShape kShape, ContextCut kCut, RowForms kForms, AttentionVariant Variant>
LLCUDA_DEVICE void attentionDecode(const float* q, const uint8_t* k, const uint8_t* v, const int* positions,
                                   const int* slots, const int* table, Variant variant, float* partial,
                                   uint32_t* arrivals, RowOutput<kForms> rows) {
  using Shape = AttentionTraits<kShape>;
  using Products = typename ProductsOf<Shape>::Type;
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

  Products products;
  attendKeys<Shape>(q + pair * Shape::kGroupSize, k, v, table, range, {seen, slots[row], kvHead}, variant, products);
  products.leave(values, stats);
  merge.weigh(Products::kParts);
  const SplitStates<Shape> states{partial + pair * kSplits * SplitStates<Shape>::kFloats};
  const bool alone = kSplits == 1 || range.splits == 1;
  forEachFour<Shape>([&](int element, bool valid) {
    const float4 sum = merge.template value<8>(Products::kParts, element, [&](int part) {
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
