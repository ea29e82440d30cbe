// SPDX-License-Identifier: Apache-2.0
// What decode and prompt attention share: shapes, and where a page lies.
#pragma once

#include "codegen/kernels/attention/attention_tiles.h"
#include "codegen/kernels/attention/kv_pages.cuh"
#include "codegen/kernels/block/emit_row.cuh"

namespace llcuda {

constexpr int kPageTokens = kKvPageTokens;
constexpr float kLowestScore = -1e30f; ///< where a maximum begins: finite, so that differences of two are never NaN

/// The score of a key that is not seen: its weight under any maximum is 0.
LLCUDA_DEVICE float maskedScore() {
  return bitCast<float>(0xff800000u);
}

/// The heads of a layer and its cache.
struct AttentionShape {
  int heads, kvHeads, headSize;
  int tablePages;                                          ///< entries of a row of the block table
  KvType keyType = KvType::kF16, valueType = KvType::kF16; ///< how the cache is kept: kv_pages.cuh
};

/// What follows from a shape.
template <AttentionShape kShape>
struct AttentionTraits {
  static_assert(kShape.heads % kShape.kvHeads == 0, "as many query heads share each kv head");
  static_assert(kShape.headSize % 4 == 0 && kShape.headSize <= kMaxHeadSize, "head size");
  static constexpr int kHeads = kShape.heads;
  static constexpr int kKvHeads = kShape.kvHeads;
  static constexpr int kHeadSize = kShape.headSize;
  static constexpr int kTablePages = kShape.tablePages;
  static constexpr int kVectors = headVectors(kHeadSize); ///< of a head, as the cache keeps it
  using Keys = KvRows<kShape.keyType, 8 * kVectors>;
  using Values = KvRows<kShape.valueType, 8 * kVectors>;
  static constexpr int kSharers = kHeads / kKvHeads;                ///< query heads of a kv head
  static constexpr int kGroup = headsTogether(kSharers, kHeadSize); ///< of them, those of a block of decode attention
  static constexpr int kGroupSize = kGroup * kHeadSize;             ///< elements of a row that it makes
  static constexpr int kGroups = kKvHeads * (kSharers / kGroup);
  static constexpr bool kDecodesByTensorCores = decodesByTensorCores(kHeadSize, kShape.keyType, kShape.valueType);

  /// Page of positions 64 * index ... + 63.
  static LLCUDA_DEVICE int page(const int* table, int slot, int index) {
    return pageNumber<kTablePages>(table, slot, index);
  }
  /// Where a kv head's keys or values of a page begin.
  template <typename Rows>
  static LLCUDA_DEVICE long long headStart(int page, int kvHead) {
    return (static_cast<long long>(page) * kKvHeads + kvHead) * Rows::kBytes;
  }
};

} // namespace llcuda
