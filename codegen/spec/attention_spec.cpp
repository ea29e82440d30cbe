// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/attention_spec.h"

#include <algorithm>
#include <bit>

#include "codegen/spec/kernel_builder.h"
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

KernelBuilder kernelOf(const char* op, const AttentionDesc& desc) {
  KernelBuilder kernel(op, std::string("codegen/kernels/attention/") + op + ".cuh");
  kernel.constants("llcuda::AttentionShape",
                   attentionShape(desc.heads, desc.kvHeads, desc.headSize, desc.cache, desc.window));
  return kernel;
}

/// What both kernels are handed first.
void addInputs(KernelBuilder& kernel, const AttentionDesc& desc, const char* queryType) {
  kernel.input("q", queryType).input("k_pages", "const uint8_t*").input("v_pages", "const uint8_t*");
  kernel.input("positions", "const int*").input("slots", "const int*");
  kernel.input("block_table", "const int*", desc.cache.ringPages == 0);
  kernel.value(Constants{real("e", desc.scale), desc.softcap != 0 ? real("cap", desc.softcap) : Constant{"0.f", ""}});
}

void addRows(KernelBuilder& kernel, const AttentionDesc& desc) {
  kernel.open().outputRows("y", desc.f32Rows, desc.int8Rows).close();
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
  KernelBuilder kernel = kernelOf("attention_decode", desc);
  kernel.constants({number("s", splits)});
  addInputs(kernel, desc, "const float*");
  kernel.output("partial", "float*", splits > 1).inOut("arrivals", "uint32_t*", splits > 1);
  addRows(kernel, desc);
  return {kernel.build("attentionDecode", kDecodeThreads, decodeBlocksPerSm(desc)), {desc.kvHeads, splits, desc.rows}};
}

LaunchSpec attentionPromptLaunch(const AttentionDesc& desc) {
  assert(checkAttention(desc));
  KernelBuilder kernel = kernelOf("attention_prompt", desc);
  kernel.constants({number("r", desc.rows)});
  addInputs(kernel, desc, "const llcuda::Half*");
  addRows(kernel, desc);
  // What fits the registers without spills.
  const uint32_t minBlocks =
      desc.headSize <= 96 || (desc.headSize == 128 && desc.cache.isF16() && desc.softcap == 0) ? 3 : 2;
  const uint32_t parts = desc.headSize > 128 && desc.headSize % 64 == 0 ? 2 : 1; // as PromptTile
  return {kernel.build("attentionPrompt", kPromptThreads, minBlocks),
          {divideUp(desc.rows, kPromptRows), desc.heads * parts, 1}};
}

} // namespace llcuda::codegen
