// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/attention_spec.h"

#include <algorithm>

#include "codegen/spec/source_text.h"
#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kPageTokens = 64, kDecodeThreads = 128, kPromptThreads = 128, kPromptRows = 64, kMaxSplits = 64;

uint32_t tablePages(const AttentionDesc& desc) {
  return divideUp(desc.maxContext, kPageTokens);
}

std::string shapeTemplate(const AttentionDesc& desc) {
  return "llcuda::AttentionShape<" + listText(desc.heads, desc.kvHeads, desc.headSize, tablePages(desc), desc.window) +
         ">";
}

std::string shapeName(const AttentionDesc& desc) {
  std::string name = "h" + std::to_string(desc.heads) + "_g" + std::to_string(desc.kvHeads) + "_d" +
                     std::to_string(desc.headSize) + "_c" + std::to_string(desc.maxContext);
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

std::vector<Param> inputParams(const char* queryType) {
  return {{"q", queryType, Access::kRead},
          {"k_pages", "const llcuda::Half*", Access::kRead},
          {"v_pages", "const llcuda::Half*", Access::kRead},
          {"positions", "const int*", Access::kRead},
          {"slots", "const int*", Access::kRead},
          {"block_table", "const int*", Access::kRead}};
}

/// Blocks of kDecodeThreads that the registers of a group's queries and sums leave room for.
uint32_t decodeBlocksPerSm(uint32_t group) {
  return group <= 2 ? 4 : group <= 4 ? 3 : 2;
}

uint32_t partialFloats(const AttentionDesc& desc) {
  const uint32_t group = desc.heads / desc.kvHeads;
  return group * desc.headSize + divideUp(group, 2) * 4; // as attention_decode.cuh
}

} // namespace

Result<void> checkAttention(const AttentionDesc& desc) {
  if (desc.pageTokens != kPageTokens)
    return unsupported("attention over pages of ", desc.pageTokens, " tokens; kernels exist for ", kPageTokens);
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
  const uint32_t wanted = divideUp(4 * t4::kMultiprocessors, pairs);
  return std::clamp(wanted, 1u, std::min(tablePages(desc), kMaxSplits));
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
  kernel.format = "f16" + rowsName(desc);
  kernel.shape = shapeName(desc);
  kernel.tile = "s" + std::to_string(splits) + "_t" + std::to_string(kDecodeThreads);
  kernel.header = "codegen/kernels/attention/attention_decode.cuh";
  kernel.params = inputParams("const float*");
  std::string workspace = "nullptr, nullptr";
  if (splits > 1) {
    kernel.params.push_back({"partial", "float*", Access::kWrite});
    kernel.params.push_back({"arrivals", "uint32_t*", Access::kReadWrite});
    workspace = "partial, arrivals";
  }
  const std::string rows = addRows(desc, kernel.params);
  kernel.call = "attentionDecode<" + listText(shapeTemplate(desc), splits) + ">(" +
                listText("q, k_pages, v_pages, positions, slots, block_table", scoreText(desc), workspace, rows) + ")";
  kernel.threads = kDecodeThreads;
  kernel.minBlocksPerSm = decodeBlocksPerSm(desc.heads / desc.kvHeads);
  return {kernel, {desc.kvHeads, splits, desc.rows}};
}

LaunchSpec attentionPromptLaunch(const AttentionDesc& desc) {
  assert(checkAttention(desc));
  KernelSpec kernel;
  kernel.op = "attention_prompt";
  kernel.format = "f16" + rowsName(desc);
  kernel.shape = shapeName(desc) + "_r" + std::to_string(desc.rows);
  kernel.tile = "r" + std::to_string(kPromptRows) + "_t" + std::to_string(kPromptThreads);
  kernel.header = "codegen/kernels/attention/attention_prompt.cuh";
  kernel.params = inputParams("const llcuda::Half*");
  const std::string rows = addRows(desc, kernel.params);
  kernel.call = "attentionPrompt<" + listText(shapeTemplate(desc), desc.rows) + ">(" +
                listText("q, k_pages, v_pages, positions, slots, block_table", scoreText(desc), rows) + ")";
  kernel.threads = kPromptThreads;
  kernel.minBlocksPerSm = desc.headSize <= 128 ? 3 : 2;
  const uint32_t parts = desc.headSize > 128 && desc.headSize % 64 == 0 ? 2 : 1; // as PromptTile
  return {kernel, {divideUp(desc.rows, kPromptRows), desc.heads * parts, 1}};
}

} // namespace llcuda::codegen
