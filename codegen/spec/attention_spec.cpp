// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/attention_spec.h"

#include <algorithm>

#include "codegen/kernels/attention/attention_tiles.h"
#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/launch_works.h"
#include "codegen/spec/linear_spec.h"
#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kMaxSplits = 64;
/// Blocks in flight at a long context: two for each multiprocessor of a GPU of 132, which are still enough loads in
/// flight when a T4 is at its last ones.
constexpr uint32_t kDecodeBlocks = 256;

/// Query heads that a block of attention_decode takes, and how many such groups a row has.
uint32_t groupHeads(const AttentionDesc& desc) {
  return static_cast<uint32_t>(
      headsTogether(static_cast<int>(desc.heads / desc.kvHeads), static_cast<int>(desc.headSize)));
}
uint32_t groups(const AttentionDesc& desc) {
  return desc.heads / groupHeads(desc);
}

/// Most keys that a row sees.
uint32_t longestContext(const AttentionDesc& desc) {
  return desc.window == 0 ? desc.cache.maxContext : std::min(desc.window, desc.cache.maxContext);
}

KernelBuilder kernelOf(const char* op, const AttentionDesc& desc) {
  KernelBuilder kernel(op, std::string("codegen/kernels/attention/") + op + ".cuh");
  kernel.group("AttentionShape", attentionShape(desc.heads, desc.kvHeads, desc.headSize, desc.cache));
  return kernel;
}

/// What both kernels are handed first.
void addInputs(KernelBuilder& kernel, const AttentionDesc& desc, const char* queryType) {
  kernel.input("q", queryType).input("k_pages", "const uint8_t*").input("v_pages", "const uint8_t*");
  kernel.input("positions", "const int*").input("slots", "const int*");
  kernel.input("block_table", "const int*");
  if (desc.bothWays)
    kernel.open("TwoWayAttention").open();
  else
    kernel.open("CausalAttention");
  kernel.value(real("e", desc.scale)).value(desc.softcap != 0 ? real("cap", desc.softcap) : Constant{"0.f", ""});
  kernel.value(optionalNumber("w", desc.window)).input("sinks", "const float*", desc.sinks).close();
  if (desc.bothWays)
    kernel.input("text_lengths", "const int*").close();
}

void addForms(KernelBuilder& kernel, const AttentionDesc& desc, RowOrder order) {
  kernel.group("RowForms", rowForms(desc.f32Rows, desc.int8Rows, order));
}

/// What both kernels are handed last.
void addRows(KernelBuilder& kernel, const AttentionDesc& desc) {
  kernel.open().outputRows("y", desc.f32Rows, desc.int8Rows).close();
}

/// Blocks of kDecodeThreads that shared memory and the registers of a group's queries and sums leave room for. What the
/// registers hold without spills is what tests/codegen/nvrtc/real_kernels_test.cpp finds in machine code for sm_75.
uint32_t decodeBlocksPerSm(const AttentionDesc& desc) {
  const uint32_t heads = groupHeads(desc);
  const auto vectors = static_cast<uint32_t>(decodeLaneVectors(static_cast<int>(desc.headSize)));
  const bool byTensorCores =
      decodesByTensorCores(static_cast<int>(desc.headSize), desc.cache.keyType, desc.cache.valueType);
  const uint32_t byRegisters = byTensorCores          ? (desc.headSize <= 64 ? 3 : 2)
                               : heads * vectors <= 2 ? 4
                               : heads * vectors <= 4 ? 3
                                                      : 2;
  const DecodeShared shared =
      decodeShared(static_cast<int>(heads), static_cast<int>(desc.headSize), static_cast<int>(attentionSplits(desc)));
  const uint32_t byShared =
      t4::kSharedBytesPerMultiprocessor / (static_cast<uint32_t>(shared.bytes()) + 64); // of alignment
  return std::clamp(byShared, 1u, byRegisters);
}

} // namespace

Result<void> checkAttention(const AttentionDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(checkKvCache(desc.cache, desc.headSize));
  if (desc.kvHeads == 0 || desc.heads % desc.kvHeads != 0)
    return unsupported("attention with ", desc.heads, " heads over ", desc.kvHeads,
                       " kv heads: not a whole number each");
  LLCUDA_RETURN_IF_ERROR(checkHeadSize(desc.headSize));
  if (desc.bothWays && desc.window == 1)
    return unsupported("attention both ways within a window of 1: a row would see itself alone");
  if (desc.int8Rows && desc.headSize % 32 != 0)
    return unsupported("int8 rows of attention with heads of ", desc.headSize, ", which is no multiple of 32");
  return {};
}

uint32_t attentionSplits(const AttentionDesc& desc) {
  // Up to kMaxDecodeRows as many as for one row alone: where a row's context is cut decides its bits.
  const uint32_t pairs = groups(desc) * (desc.rows <= kMaxDecodeRows ? 1 : desc.rows);
  const auto unit = static_cast<uint32_t>(decodeSplitTokens(static_cast<int>(desc.headSize)));
  // A window that does not begin at the edge of a unit touches one more.
  const uint32_t units = divideUp(longestContext(desc), unit) + (desc.window != 0 ? 1 : 0);
  return std::clamp(divideUp(kDecodeBlocks, pairs), 1u, std::min(units, kMaxSplits));
}

uint64_t attentionPartialBytes(const AttentionDesc& desc) {
  const int floats = decodePartialFloats(static_cast<int>(groupHeads(desc)), static_cast<int>(desc.headSize));
  return uint64_t{4} * desc.rows * groups(desc) * attentionSplits(desc) * static_cast<uint64_t>(floats);
}

uint32_t attentionArrivals(const AttentionDesc& desc) {
  return desc.rows * groups(desc);
}

LaunchSpec attentionDecodeLaunch(const AttentionDesc& desc) {
  assert(checkAttention(desc) && !desc.bothWays);
  const uint32_t splits = attentionSplits(desc);
  KernelBuilder kernel = kernelOf("attention_decode", desc);
  kernel.group("ContextCut", {{"splits", number("s", splits)}});
  addForms(kernel, desc, desc.order);
  addInputs(kernel, desc, "const float*");
  kernel.output("partial", "float*", splits > 1).inOut("arrivals", "uint32_t*", splits > 1);
  addRows(kernel, desc);
  return {kernel.build("attentionDecode", kDecodeThreads, decodeBlocksPerSm(desc)),
          {groups(desc), splits, desc.rows},
          decodeWorkOf(desc)};
}

LaunchSpec attentionPromptLaunch(const AttentionDesc& desc) {
  assert(checkAttention(desc));
  KernelBuilder kernel = kernelOf("attention_prompt", desc);
  kernel.group("PromptChunk", {{"rows", number("r", desc.rows)}});
  addForms(kernel, desc, RowOrder::kFragments);
  addInputs(kernel, desc, "const llcuda::Half*");
  addRows(kernel, desc);
  // What fits the registers without spills, by the same test.
  const bool isPlain = desc.softcap == 0;
  const bool fitsThree =
      desc.headSize < 96 || (desc.headSize == 96 && isPlain) || (desc.headSize == 128 && desc.cache.isF16() && isPlain);
  const auto parts = static_cast<uint32_t>(promptParts(static_cast<int>(desc.headSize)));
  return {kernel.build("attentionPrompt", kPromptThreads,
                       fitsThree              ? 3
                       : desc.headSize <= 256 ? 2
                                              : 1),
          {divideUp(desc.rows, kPromptRows), desc.heads * parts, 1},
          promptWorkOf(desc)};
}

} // namespace llcuda::codegen
