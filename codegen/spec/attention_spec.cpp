// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/attention_spec.h"

#include <algorithm>
#include <bit>

#include "codegen/spec/source_text.h"
#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kDecodeThreads = 128, kPromptThreads = 128, kPromptRows = 64, kMaxSplits = 64;
/// Blocks in flight at a long context: two waves of a T4, and still two for each multiprocessor of a GPU thrice as wide.
constexpr uint32_t kDecodeBlocks = 8 * t4::kMultiprocessors;

/// Keys that are never divided among splits, as DecodeTile.
uint32_t splitTokens(const AttentionDesc& desc) {
  return desc.headSize <= 128 ? 64 : 32;
}

/// Most keys that a row sees.
uint32_t longestContext(const AttentionDesc& desc) {
  return desc.window == 0 ? desc.cache.maxContext : std::min(desc.window, desc.cache.maxContext);
}

std::string shapeTemplate(const AttentionDesc& desc) {
  return "llcuda::AttentionShape<" +
         listText(desc.heads, desc.kvHeads, desc.headSize, desc.cache.tablePages(), desc.window, desc.cache.ringPages,
                  kvTypeText(desc.cache.keyType), kvTypeText(desc.cache.valueType)) +
         ">";
}

std::string shapeName(const AttentionDesc& desc) {
  std::string name = "h" + std::to_string(desc.heads) + "_g" + std::to_string(desc.kvHeads) + "_d" +
                     std::to_string(desc.headSize) + "_" + desc.cache.name();
  if (desc.window != 0)
    name += "_w" + std::to_string(desc.window);
  return name;
}

std::string scoreText(const AttentionDesc& desc) {
  return "{" + listText(floatLiteral(desc.scale), floatLiteral(desc.softcap)) + "}";
}

/// The parameters y, y_codes, y_scales that the description asks for, and the call's argument that holds them.
std::string addRows(const AttentionDesc& desc, std::vector<Param>& params) {
  if (desc.f32Rows)
    params.push_back({"y", "float*", Access::kWrite});
  if (desc.int8Rows) {
    params.push_back({"y_codes", "int8_t*", Access::kWrite});
    params.push_back({"y_scales", "float2*", Access::kWrite});
  }
  return std::string("{") + (desc.f32Rows ? "y" : "nullptr") +
         (desc.int8Rows ? ", y_codes, y_scales}" : ", nullptr, nullptr}");
}

std::string rowsName(const AttentionDesc& desc) {
  return std::string(desc.f32Rows ? "_f32" : "") + (desc.int8Rows ? "_q8" : "");
}

std::vector<Param> inputParams(const AttentionDesc& desc, const char* queryType) {
  std::vector<Param> params = {{"q", queryType, Access::kRead},
                               {"k_pages", "const uint8_t*", Access::kRead},
                               {"v_pages", "const uint8_t*", Access::kRead},
                               {"positions", "const int*", Access::kRead},
                               {"slots", "const int*", Access::kRead}};
  if (desc.cache.ringPages == 0)
    params.push_back({"block_table", "const int*", Access::kRead});
  return params;
}

/// The call's arguments that stand for inputParams.
std::string inputText(const AttentionDesc& desc) {
  return std::string("q, k_pages, v_pages, positions, slots, ") +
         (desc.cache.ringPages == 0 ? "block_table" : "nullptr");
}

/// Shared memory of attentionDecode: the sums of every part of a block, and the statistics of parts or splits.
uint32_t decodeSharedBytes(const AttentionDesc& desc) {
  const uint32_t group = desc.heads / desc.kvHeads;
  const uint32_t keyLanes = std::min(std::max(std::bit_ceil(desc.headSize / 8), 2u), 32u);
  const uint32_t parts = kDecodeThreads / keyLanes;
  return 4 * parts * group * desc.headSize + 12 * std::max(parts, attentionSplits(desc)) * group + 8 * group;
}

/// Blocks of kDecodeThreads that shared memory and the registers of a group's queries and sums leave room for.
uint32_t decodeBlocksPerSm(const AttentionDesc& desc) {
  const uint32_t group = desc.heads / desc.kvHeads;
  const uint32_t byRegisters = group <= 2 ? 4 : group <= 4 ? 3 : 2;
  const uint32_t byShared = t4::kSharedBytesPerMultiprocessor / (decodeSharedBytes(desc) + 64); // of alignment
  return std::clamp(byShared, 1u, byRegisters);
}

uint32_t partialFloats(const AttentionDesc& desc) {
  const uint32_t group = desc.heads / desc.kvHeads;
  return group * desc.headSize + divideUp(group, 2) * 4; // as attention_decode.cuh
}

} // namespace

Result<void> checkAttention(const AttentionDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(checkKvCache(desc.cache, desc.headSize));
  if (desc.kvHeads == 0 || desc.heads % desc.kvHeads != 0)
    return unsupported("attention with ", desc.heads, " heads over ", desc.kvHeads,
                       " kv heads: not a whole number each");
  if (desc.heads / desc.kvHeads > 8)
    return unsupported("attention with ", desc.heads / desc.kvHeads, " heads for each kv head; kernels exist up to 8");
  if (desc.headSize == 0 || desc.headSize % 16 != 0 || desc.headSize > 256)
    return unsupported("attention with heads of ", desc.headSize, "; kernels exist for multiples of 16 up to 256");
  if (desc.int8Rows && desc.headSize % 32 != 0)
    return unsupported("int8 rows of attention with heads of ", desc.headSize, ", which is no multiple of 32");
  return {};
}

uint32_t attentionSplits(const AttentionDesc& desc) {
  const uint32_t pairs = desc.kvHeads * desc.rows;
  // A window that does not begin at the edge of a unit touches one more.
  const uint32_t units = divideUp(longestContext(desc), splitTokens(desc)) + (desc.window != 0 ? 1 : 0);
  return std::clamp(divideUp(kDecodeBlocks, pairs), 1u, std::min(units, kMaxSplits));
}

uint64_t attentionPartialBytes(const AttentionDesc& desc) {
  return uint64_t{4} * desc.rows * desc.kvHeads * attentionSplits(desc) * partialFloats(desc);
}

uint32_t attentionArrivals(const AttentionDesc& desc) {
  return desc.rows * desc.kvHeads;
}

LaunchSpec attentionDecodeLaunch(const AttentionDesc& desc) {
  assert(checkAttention(desc));
  const uint32_t splits = attentionSplits(desc);
  KernelSpec kernel;
  kernel.op = "attention_decode";
  kernel.format = desc.cache.format() + rowsName(desc);
  kernel.shape = shapeName(desc);
  kernel.tile = "s" + std::to_string(splits) + "_t" + std::to_string(kDecodeThreads);
  kernel.header = "codegen/kernels/attention/attention_decode.cuh";
  kernel.params = inputParams(desc, "const float*");
  std::string workspace = "nullptr, nullptr";
  if (splits > 1) {
    kernel.params.push_back({"partial", "float*", Access::kWrite});
    kernel.params.push_back({"arrivals", "uint32_t*", Access::kReadWrite});
    workspace = "partial, arrivals";
  }
  const std::string rows = addRows(desc, kernel.params);
  kernel.call = "attentionDecode<" + listText(shapeTemplate(desc), splits) + ">(" +
                listText(inputText(desc), scoreText(desc), workspace, rows) + ")";
  kernel.threads = kDecodeThreads;
  kernel.minBlocksPerSm = decodeBlocksPerSm(desc);
  return {kernel, {desc.kvHeads, splits, desc.rows}};
}

LaunchSpec attentionPromptLaunch(const AttentionDesc& desc) {
  assert(checkAttention(desc));
  KernelSpec kernel;
  kernel.op = "attention_prompt";
  kernel.format = desc.cache.format() + rowsName(desc);
  kernel.shape = shapeName(desc) + "_r" + std::to_string(desc.rows);
  kernel.tile = "r" + std::to_string(kPromptRows) + "_t" + std::to_string(kPromptThreads);
  kernel.header = "codegen/kernels/attention/attention_prompt.cuh";
  kernel.params = inputParams(desc, "const llcuda::Half*");
  const std::string rows = addRows(desc, kernel.params);
  kernel.call = "attentionPrompt<" + listText(shapeTemplate(desc), desc.rows) + ">(" +
                listText(inputText(desc), scoreText(desc), rows) + ")";
  kernel.threads = kPromptThreads;
  // What fits the registers without spills.
  kernel.minBlocksPerSm =
      desc.headSize <= 96 || (desc.headSize == 128 && desc.cache.isF16() && desc.softcap == 0) ? 3 : 2;
  const uint32_t parts = desc.headSize > 128 && desc.headSize % 64 == 0 ? 2 : 1; // as PromptTile
  return {kernel, {divideUp(desc.rows, kPromptRows), desc.heads * parts, 1}};
}

} // namespace llcuda::codegen
