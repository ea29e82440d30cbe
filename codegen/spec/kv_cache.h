// SPDX-License-Identifier: Apache-2.0
// The cache of keys and values of a layer, as the launches that write and read it are told of it.
#pragma once

#include <cstdint>

#include "codegen/formats/kv_type.h"
#include "codegen/spec/kernel_builder.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

struct KvCacheDesc {
  uint32_t maxContext = 0;
  uint32_t pageTokens = 64; ///< only 64 has kernels
  KvType keyType = KvType::kF16;
  KvType valueType = KvType::kF16;

  uint32_t tablePages() const { return divideUp(maxContext, pageTokens); }
  bool isF16() const { return keyType == KvType::kF16 && valueType == KvType::kF16; }
  /// Elements of a head that are stored together: 1, or the larger block of the two types.
  uint32_t block() const;
};

Constant kvType(KvType value);
/// The members of llcuda::AttentionShape.
Members attentionShape(uint32_t heads, uint32_t kvHeads, uint32_t headSize, const KvCacheDesc& cache);

/// Names what no kernel keeps: pages of another size, heads that are no whole blocks of the types.
Result<void> checkKvCache(const KvCacheDesc& desc, uint32_t headSize);

/// Names head sizes that no kernel of attention or of heads does.
Result<void> checkHeadSize(uint32_t headSize);

/// Bytes that a page has of a kv head. Heads that are no whole vectors of 8 elements are kept with zeros after them.
uint32_t keptHeadBytes(KvType type, uint32_t headSize);

} // namespace llcuda::codegen
