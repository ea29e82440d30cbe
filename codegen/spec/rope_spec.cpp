// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/rope_spec.h"

#include <cassert>

#include "codegen/spec/kernel_builder.h"

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

void addTurn(KernelBuilder& kernel, const HeadTurnDesc& turn) {
  const Constant pairs = {turn.halves ? "llcuda::RopePairs::kHalves" : "llcuda::RopePairs::kAdjacent",
                          turn.halves && turn.dimensions != 0 ? "halves" : ""};
  kernel.constants("llcuda::HeadTurn", {number("n", turn.dimensions), pairs, flag("norm", turn.norm)});
}

} // namespace

Result<void> checkHeadRows(const HeadRowsDesc& desc) {
  if (desc.rows == 0 || desc.heads == 0)
    return unsupported("head_rows of ", desc.rows, " rows of ", desc.heads, " heads");
  return checkTurn(desc.turn, desc.headSize);
}

LaunchSpec headRowsLaunch(const HeadRowsDesc& desc) {
  assert(checkHeadRows(desc));
  const bool turned = desc.turn.dimensions != 0;
  KernelBuilder kernel("head_rows", "codegen/kernels/rope/head_rows.cuh");
  kernel.constants({number("h", desc.heads), number("d", desc.headSize)});
  addTurn(kernel, desc.turn);
  kernel.input("x", "const float*").input("scale", "const float*", desc.turn.norm);
  kernel.input("rope_table", "const float2*", turned).input("positions", "const int*", turned);
  kernel.output("y", desc.f16Rows ? "llcuda::Half*" : "float*").value(real("e", desc.turn.eps));
  return {kernel.build("headRows", kThreads), {desc.rows, divideUp(desc.heads, headsPerBlock(desc.headSize)), 1}};
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
  KernelBuilder kernel("rope_cache", "codegen/kernels/rope/rope_cache.cuh");
  kernel.constants("llcuda::AttentionShape", attentionShape(desc.heads, desc.kvHeads, desc.headSize, desc.cache, 0));
  addTurn(kernel, desc.turn);
  kernel.constants({desc.f16Queries ? Constant{"llcuda::Half", "f16"} : Constant{"float", "f32"}});
  kernel.input("q", "const float*", queries).input("k", "const float*").input("v", "const float*");
  kernel.input("q_scale", "const float*", queries && desc.turn.norm);
  kernel.input("k_scale", "const float*", desc.turn.norm);
  kernel.input("rope_table", "const float2*", desc.turn.dimensions != 0);
  kernel.input("positions", "const int*").input("slots", "const int*");
  kernel.input("block_table", "const int*", desc.cache.ringPages == 0);
  kernel.output("q_turned", desc.f16Queries ? "llcuda::Half*" : "float*", queries);
  kernel.output("k_pages", "uint8_t*").output("v_pages", "uint8_t*").value(real("e", desc.turn.eps));
  return {kernel.build("ropeCache", kThreads),
          {desc.rows, divideUp(desc.heads + 2 * desc.kvHeads, headsPerBlock(desc.headSize)), 1}};
}

} // namespace llcuda::codegen
