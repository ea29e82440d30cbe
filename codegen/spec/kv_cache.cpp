// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/kv_cache.h"

namespace llcuda::codegen {
namespace {

struct KvTypeNames {
  KvType type;
  formats::TensorType encoding;
  const char* text;
};

constexpr KvTypeNames kTypes[] = {
    {KvType::kF16, formats::TensorType::kF16, "llcuda::KvType::kF16"},
    {KvType::kQ8_0, formats::TensorType::kQ8_0, "llcuda::KvType::kQ8_0"},
    {KvType::kQ4_0, formats::TensorType::kQ4_0, "llcuda::KvType::kQ4_0"},
    {KvType::kQ4_1, formats::TensorType::kQ4_1, "llcuda::KvType::kQ4_1"},
    {KvType::kQ5_0, formats::TensorType::kQ5_0, "llcuda::KvType::kQ5_0"},
    {KvType::kQ5_1, formats::TensorType::kQ5_1, "llcuda::KvType::kQ5_1"},
};

const KvTypeNames& namesOf(KvType type) {
  return kTypes[static_cast<size_t>(type)];
}

std::string encodingName(KvType type) {
  return std::string(formats::tensorTypeInfo(namesOf(type).encoding).name);
}

} // namespace

uint32_t ringPages(uint32_t window, uint32_t chunk, uint32_t maxContext, uint32_t pageTokens) {
  if (window == 0)
    return 0;
  const uint64_t positions = uint64_t{window} + chunk - 1;
  const uint64_t pages = (positions + pageTokens - 2) / pageTokens + 1;
  return pages < divideUp(maxContext, pageTokens) ? static_cast<uint32_t>(pages) : 0;
}

std::optional<KvType> kvTypeOf(formats::TensorType type) {
  for (const KvTypeNames& names : kTypes)
    if (names.encoding == type)
      return names.type;
  return std::nullopt;
}

Constant kvType(KvType value) {
  return {namesOf(value).text, encodingName(value)};
}

Constants attentionShape(uint32_t heads, uint32_t kvHeads, uint32_t headSize, const KvCacheDesc& cache,
                         uint32_t window) {
  return {number("h", heads),          number("g", kvHeads),
          number("d", headSize),       number("p", cache.tablePages()),
          optionalNumber("w", window), optionalNumber("ring", cache.ringPages),
          kvType(cache.keyType),       kvType(cache.valueType)};
}

Result<void> checkKvCache(const KvCacheDesc& desc, uint32_t headSize) {
  if (desc.pageTokens != kKvPageTokens || desc.maxContext == 0)
    return unsupported("a cache of ", desc.maxContext, " positions in pages of ", desc.pageTokens,
                       " tokens; kernels exist for ", kKvPageTokens);
  for (const KvType type : {desc.keyType, desc.valueType})
    if (type != KvType::kF16 && headSize % kKvBlock != 0)
      return unsupported("a cache of heads of ", headSize, " in ", encodingName(type), ", whose blocks are of ",
                         kKvBlock, "; f16 keeps any head");
  return {};
}

} // namespace llcuda::codegen
