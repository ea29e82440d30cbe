// SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/same_plan.h"

#include <algorithm>

#include "runtime/schema/phase_facts.h"

namespace llcuda::emit {
namespace {

template <typename T>
Result<void> same(std::string_view what, const T& engine, const T& fresh) {
  if (engine == fresh)
    return {};
  return unsupported(what, " is ", fresh, ", the engine was compiled for ", engine);
}

Result<void> sameModel(const fb::ModelT& engine, const fb::ModelT& fresh) {
  LLCUDA_RETURN_IF_ERROR(same("the architecture", engine.architecture, fresh.architecture));
  LLCUDA_RETURN_IF_ERROR(same("the number of layers", engine.layers, fresh.layers));
  LLCUDA_RETURN_IF_ERROR(same("the embedding's width", engine.embedding, fresh.embedding));
  LLCUDA_RETURN_IF_ERROR(same("the number of heads", engine.heads, fresh.heads));
  LLCUDA_RETURN_IF_ERROR(same("the number of KV heads", engine.kv_heads, fresh.kv_heads));
  LLCUDA_RETURN_IF_ERROR(same("the size of a head", engine.head_size, fresh.head_size));
  LLCUDA_RETURN_IF_ERROR(same("the feed-forward width", engine.feed_forward, fresh.feed_forward));
  LLCUDA_RETURN_IF_ERROR(same("the vocabulary", engine.vocabulary, fresh.vocabulary));
  return same("the trained context", engine.trained_context, fresh.trained_context);
}

Result<void> sameBuffer(const fb::BufferT& engine, const fb::BufferT& fresh) {
  LLCUDA_RETURN_IF_ERROR(same("a buffer", engine.name, fresh.name));
  if (engine.kind != fresh.kind || engine.role != fresh.role || engine.part != fresh.part ||
      engine.kv_type != fresh.kv_type)
    return unsupported("buffer ", fresh.name, " is of another kind");
  LLCUDA_RETURN_IF_ERROR(same("the size of " + fresh.name, engine.bytes, fresh.bytes));
  return engine.kind == fb::BufferKind::arena ? same("the place of " + fresh.name, engine.offset, fresh.offset)
                                              : Result<void>();
}

Result<void> sameKernel(const fb::KernelT& engine, const fb::KernelT& fresh) {
  LLCUDA_RETURN_IF_ERROR(same("a kernel", engine.name, fresh.name));
  if (engine.op != fresh.op || engine.threads != fresh.threads ||
      engine.dynamic_shared_bytes != fresh.dynamic_shared_bytes || engine.param_count != fresh.param_count ||
      engine.source_xxh3 != fresh.source_xxh3)
    return unsupported("kernel ", fresh.name, " is made in another way than the engine's");
  return {};
}

bool sameLaunch(const fb::LaunchT& engine, const fb::LaunchT& fresh) {
  const auto sameArgument = [](const fb::Argument& a, const fb::Argument& b) {
    return a.buffer() == b.buffer() && a.offset() == b.offset();
  };
  return engine.kernel == fresh.kernel && engine.grid_x == fresh.grid_x && engine.grid_y == fresh.grid_y &&
         engine.grid_z == fresh.grid_z && engine.layer == fresh.layer && engine.tap == fresh.tap &&
         std::equal(engine.arguments.begin(), engine.arguments.end(), fresh.arguments.begin(), fresh.arguments.end(),
                    sameArgument);
}

bool sameTail(const fb::Tail& engine, const fb::Tail& fresh) {
  return engine.kind() == fresh.kind() && engine.outputs() == fresh.outputs() && engine.first() == fresh.first();
}

Result<void> samePhase(const fb::PhaseT& engine, const fb::PhaseT& fresh) {
  const std::string name = detail::concat("the ", phaseName(fresh.feeds_back), " phase of ", fresh.rows, " rows");
  if (engine.feeds_back != fresh.feeds_back || engine.rows != fresh.rows || engine.row_block != fresh.row_block ||
      !std::ranges::equal(engine.tails, fresh.tails, sameTail))
    return unsupported(name, " has no counterpart in the engine");
  LLCUDA_RETURN_IF_ERROR(same("the number of launches of " + name, engine.launches.size(), fresh.launches.size()));
  for (size_t i = 0; i < engine.launches.size(); ++i)
    if (!sameLaunch(*engine.launches[i], *fresh.launches[i]))
      return unsupported("launch ", i, " of ", name, " differs from the engine's");
  return {};
}

template <typename T, typename Compare>
Result<void> sameList(std::string_view what, const std::vector<std::unique_ptr<T>>& engine,
                      const std::vector<std::unique_ptr<T>>& fresh, Compare compare) {
  for (size_t i = 0; i < std::min(engine.size(), fresh.size()); ++i)
    LLCUDA_RETURN_IF_ERROR(compare(*engine[i], *fresh[i]));
  return same(what, engine.size(), fresh.size());
}

} // namespace

Result<void> checkSamePlan(const fb::EngineT& engine, const fb::EngineT& fresh) {
  LLCUDA_RETURN_IF_ERROR(sameModel(*engine.model, *fresh.model));
  LLCUDA_RETURN_IF_ERROR(same("the size of a KV page", engine.page_tokens, fresh.page_tokens));
  LLCUDA_RETURN_IF_ERROR(sameList("the number of buffers", engine.buffers, fresh.buffers, sameBuffer));
  LLCUDA_RETURN_IF_ERROR(sameList("the number of kernels", engine.kernels, fresh.kernels, sameKernel));
  LLCUDA_RETURN_IF_ERROR(sameList("the number of phases", engine.phases, fresh.phases, samePhase));
  if (!engine.apply_edits != !fresh.apply_edits ||
      (fresh.apply_edits && !sameLaunch(*engine.apply_edits, *fresh.apply_edits)))
    return unsupported("the launch that changes rows differs from the engine's");
  return same("the size of the arena", engine.arena_bytes, fresh.arena_bytes);
}

} // namespace llcuda::emit
