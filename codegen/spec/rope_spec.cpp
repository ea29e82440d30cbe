// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/rope_spec.h"

#include <cassert>

#include "codegen/spec/call_builder.h"
#include "codegen/spec/source_text.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kThreads = 128;

Result<void> checkTurn(const HeadTurnDesc& turn, uint32_t headSize) {
  if (headSize == 0 || headSize % 16 != 0 || headSize > 256)
    return unsupported("heads of ", headSize, "; kernels exist for multiples of 16 up to 256");
  if (turn.dimensions % 2 != 0 || turn.dimensions > headSize)
    return unsupported("rope over ", turn.dimensions, " elements of heads of ", headSize);
  return {};
}

/// HeadTile::kHeadsPerBlock
uint32_t headsPerBlock(uint32_t headSize) {
  const uint32_t fours = headSize / 4;
  return kThreads / (fours > 16 ? 32 : fours > 8 ? 16 : fours > 4 ? 8 : 4);
}

std::string turnText(const HeadTurnDesc& turn) {
  return "llcuda::HeadTurn<" +
         listText(turn.dimensions, turn.halves ? "llcuda::RopePairs::kHalves" : "llcuda::RopePairs::kAdjacent",
                  turn.norm ? "true" : "false") +
         ">";
}

std::string turnName(const HeadTurnDesc& turn) {
  return "_n" + std::to_string(turn.dimensions) + (turn.halves && turn.dimensions != 0 ? "_halves" : "") +
         (turn.norm ? "_e" + bitsText(turn.eps) : "");
}

} // namespace

Result<void> checkHeadRows(const HeadRowsDesc& desc) {
  if (desc.rows == 0 || desc.heads == 0)
    return unsupported("head_rows of ", desc.rows, " rows of ", desc.heads, " heads");
  return checkTurn(desc.turn, desc.headSize);
}

LaunchSpec headRowsLaunch(const HeadRowsDesc& desc) {
  assert(checkHeadRows(desc));
  KernelSpec kernel;
  kernel.op = "head_rows";
  kernel.format = desc.f16Rows ? "f32_f16" : "f32_f32";
  kernel.shape = "h" + std::to_string(desc.heads) + "_d" + std::to_string(desc.headSize) + turnName(desc.turn);
  kernel.tile = "t" + std::to_string(kThreads);
  kernel.header = "codegen/kernels/rope/head_rows.cuh";
  kernel.threads = kThreads;
  CallBuilder call(kernel);
  call.input("x", "const float*");
  call.input("scale", "const float*", desc.turn.norm);
  call.input("rope_table", "const float2*", desc.turn.dimensions != 0);
  call.input("positions", "const int*", desc.turn.dimensions != 0);
  call.output("y", desc.f16Rows ? "llcuda::Half*" : "float*");
  call.value(floatLiteral(desc.turn.eps));
  call.call("headRows<" + listText(desc.heads, desc.headSize, turnText(desc.turn)) + ">");
  return {kernel, {desc.rows, divideUp(desc.heads, headsPerBlock(desc.headSize)), 1}};
}

Result<void> checkRopeCache(const RopeCacheDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(checkKvCache(desc.cache, desc.headSize));
  if (desc.kvHeads == 0 || desc.heads % desc.kvHeads != 0 || desc.heads / desc.kvHeads > 8)
    return unsupported("a cache of ", desc.kvHeads, " kv heads for ", desc.heads,
                       " heads; kernels exist for 1 to 8 each");
  return checkTurn(desc.turn, desc.headSize);
}

LaunchSpec ropeCacheLaunch(const RopeCacheDesc& desc) {
  assert(checkRopeCache(desc));
  const bool queries = desc.heads != 0;
  const char* queryType = desc.f16Queries ? "llcuda::Half" : "float";
  KernelSpec kernel;
  kernel.op = "rope_cache";
  kernel.format = (desc.f16Queries ? "f16" : "f32") + (desc.cache.isF16() ? "" : "_" + desc.cache.format());
  kernel.shape = "h" + std::to_string(desc.heads) + "_g" + std::to_string(desc.kvHeads) + "_d" +
                 std::to_string(desc.headSize) + turnName(desc.turn) + "_" + desc.cache.name();
  kernel.tile = "t" + std::to_string(kThreads);
  kernel.header = "codegen/kernels/rope/rope_cache.cuh";
  kernel.threads = kThreads;
  CallBuilder call(kernel);
  call.input("q", "const float*", queries);
  call.input("k", "const float*");
  call.input("v", "const float*");
  call.input("q_scale", "const float*", queries && desc.turn.norm);
  call.input("k_scale", "const float*", desc.turn.norm);
  call.input("rope_table", "const float2*", desc.turn.dimensions != 0);
  call.input("positions", "const int*");
  call.input("slots", "const int*");
  call.input("block_table", "const int*", desc.cache.ringPages == 0);
  call.output("q_turned", desc.f16Queries ? "llcuda::Half*" : "float*", queries);
  call.output("k_pages", "uint8_t*");
  call.output("v_pages", "uint8_t*");
  call.value(floatLiteral(desc.turn.eps));
  const std::string shape =
      "llcuda::AttentionShape<" +
      listText(desc.heads, desc.kvHeads, desc.headSize, desc.cache.tablePages(), 0, desc.cache.ringPages,
               kvTypeText(desc.cache.keyType), kvTypeText(desc.cache.valueType)) +
      ">";
  call.call("ropeCache<" + listText(shape, turnText(desc.turn), queryType) + ">");
  return {kernel, {desc.rows, divideUp(desc.heads + 2 * desc.kvHeads, headsPerBlock(desc.headSize)), 1}};
}

} // namespace llcuda::codegen
