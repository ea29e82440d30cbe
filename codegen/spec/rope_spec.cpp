// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/rope_spec.h"

#include <cassert>

#include "codegen/kernels/rope/head_tiles.h"
#include "codegen/spec/kernel_builder.h"
#include "codegen/spec/launch_works.h"

namespace llcuda::codegen {
namespace {

Result<void> checkTurn(const HeadTurnDesc& turn, uint32_t headSize) {
  LLCUDA_RETURN_IF_ERROR(checkHeadSize(headSize));
  if (turn.dimensions % 2 != 0 || turn.dimensions > headSize)
    return unsupported("rope over ", turn.dimensions, " elements of heads of ", headSize);
  return {};
}

/// Blocks that `heads` heads of a row take.
uint32_t headBlocks(uint32_t heads, uint32_t headSize) {
  return divideUp(heads, static_cast<uint32_t>(headsPerBlock(static_cast<int>(headSize))));
}

void addTurn(KernelBuilder& kernel, const HeadTurnDesc& turn) {
  const Constant pairs = {turn.halves ? "llcuda::RopePairs::kHalves" : "llcuda::RopePairs::kAdjacent",
                          turn.halves && turn.dimensions != 0 ? "halves" : ""};
  kernel.group("HeadTurn",
               {{"dimensions", number("n", turn.dimensions)}, {"pairs", pairs}, {"norm", flag("norm", turn.norm)}});
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
  kernel.group("HeadShape", {{"heads", number("h", desc.heads)}, {"headSize", number("d", desc.headSize)}});
  addTurn(kernel, desc.turn);
  kernel.input("x", "const float*").input("scale", "const float*", desc.turn.norm);
  kernel.input("rope_table", "const float2*", turned).input("positions", "const int*", turned);
  kernel.output("y", desc.f16Rows ? "llcuda::Half*" : "float*").value(real("e", desc.turn.eps));
  return {kernel.build("headRows", kHeadThreads), {desc.rows, headBlocks(desc.heads, desc.headSize), 1}, workOf(desc)};
}

Result<void> checkRopeCache(const RopeCacheDesc& desc) {
  LLCUDA_RETURN_IF_ERROR(checkKvCache(desc.cache, desc.headSize));
  if (desc.kvHeads == 0 || desc.heads % desc.kvHeads != 0)
    return unsupported("a cache of ", desc.kvHeads, " kv heads for ", desc.heads, " heads: not a whole number each");
  LLCUDA_RETURN_IF_ERROR(checkRowView("rope_cache", desc.queries, desc.heads * desc.headSize));
  if (!desc.queries.isWhole() && desc.queries.count % desc.headSize != 0)
    return unsupported("rope_cache of queries that are ", desc.queries.count, " columns each of heads of ",
                       desc.headSize);
  if (desc.valueNorm && !desc.turn.norm)
    return unsupported("rope_cache with a norm of values alone");
  return checkTurn(desc.turn, desc.headSize);
}

LaunchSpec ropeCacheLaunch(const RopeCacheDesc& desc) {
  assert(checkRopeCache(desc));
  const bool queries = desc.heads != 0;
  KernelBuilder kernel("rope_cache", "codegen/kernels/rope/rope_cache.cuh");
  kernel.group("AttentionShape", attentionShape(desc.heads, desc.kvHeads, desc.headSize, desc.cache));
  addTurn(kernel, desc.turn);
  Members form = {{"f16", {desc.f16Queries ? "true" : "false", desc.f16Queries ? "f16" : "f32"}}};
  if (!desc.queries.isWhole())
    form.push_back({"view", asMember(rowView(desc.queries))});
  if (desc.valueNorm)
    form.push_back({"valueNorm", flag("vnorm", true)});
  kernel.group("QueryForm", form);
  kernel.input("q", "const float*", queries).input("k", "const float*").input("v", "const float*");
  kernel.input("q_scale", "const float*", queries && desc.turn.norm);
  kernel.input("k_scale", "const float*", desc.turn.norm);
  kernel.input("rope_table", "const float2*", desc.turn.dimensions != 0);
  kernel.input("positions", "const int*").input("slots", "const int*");
  kernel.input("block_table", "const int*");
  kernel.output("q_turned", desc.f16Queries ? "llcuda::Half*" : "float*", queries);
  kernel.output("k_pages", "uint8_t*").output("v_pages", "uint8_t*").value(real("e", desc.turn.eps));
  if (desc.valueNorm)
    kernel.input("v_scale", "const float*");
  return {kernel.build("ropeCache", kHeadThreads),
          {desc.rows, headBlocks(desc.heads + 2 * desc.kvHeads, desc.headSize), 1},
          workOf(desc)};
}

} // namespace llcuda::codegen
