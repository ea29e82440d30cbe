// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/kv_cache.h"

#include <algorithm>

#include "codegen/formats/kv_names.h"
#include "codegen/kernels/attention/attention_tiles.h"

namespace llcuda::codegen {

uint32_t KvCacheDesc::block() const {
  return static_cast<uint32_t>(std::max(kvBlock(keyType), kvBlock(valueType)));
}

Constant kvType(KvType value) {
  return {"llcuda::KvType::" + std::string(kvTypeEnumerator(value)), std::string(kvTypeName(value))};
}

Members attentionShape(uint32_t heads, uint32_t kvHeads, uint32_t headSize, const KvCacheDesc& cache) {
  return {{"heads", number("h", heads)},       {"kvHeads", number("g", kvHeads)},
          {"headSize", number("d", headSize)}, {"tablePages", number("p", cache.tablePages())},
          {"keyType", kvType(cache.keyType)},  {"valueType", kvType(cache.valueType)}};
}

Result<void> checkKvCache(const KvCacheDesc& desc, uint32_t headSize) {
  if (desc.pageTokens != kKvPageTokens || desc.maxContext == 0)
    return unsupported("a cache of ", desc.maxContext, " positions in pages of ", desc.pageTokens,
                       " tokens; kernels exist for ", kKvPageTokens);
  for (const KvType type : {desc.keyType, desc.valueType})
    if (headSize % static_cast<uint32_t>(kvBlock(type)) != 0)
      return unsupported("a cache of heads of ", headSize, " in ", kvTypeName(type), ", whose blocks are of ",
                         kvBlock(type), "; f16 keeps any head");
  return {};
}

Result<void> checkHeadSize(uint32_t headSize) {
  if (headSize == 0 || headSize % 4 != 0 || headSize > static_cast<uint32_t>(kMaxHeadSize))
    return unsupported("heads of ", headSize, " elements; kernels exist for multiples of 4 up to ", kMaxHeadSize);
  return {};
}

uint32_t keptHeadBytes(KvType type, uint32_t headSize) {
  return static_cast<uint32_t>(kvHeadBytes(type, 8 * headVectors(static_cast<int>(headSize))));
}

} // namespace llcuda::codegen
