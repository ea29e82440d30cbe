// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/memory_plan.h"

#include <algorithm>
#include <set>

#include "codegen/formats/kv_names.h"
#include "runtime/schema/phase_facts.h"

namespace llcuda {
namespace {

std::string mebibytes(uint64_t bytes) {
  return detail::concat((bytes + (1u << 20) - 1) >> 20, " MiB");
}

/// A page has the bytes of so many blocks of its type, whatever the size of its heads.
uint64_t blockBytes(KvType type) {
  return static_cast<uint64_t>(kvHeadBytes(type, kKvBlock));
}

/// Of a pool, which was checked when the engine was opened.
uint64_t blockBytes(const fb::Buffer& pool) {
  return blockBytes(*kvTypeByName(pool.kv_type()->string_view()));
}

} // namespace

uint32_t pagesFor(const Engine& engine, uint32_t context) {
  const uint32_t pageTokens = engine.metadata().page_tokens();
  return (context + pageTokens - 1) / pageTokens;
}

uint32_t windowPages(uint32_t window, uint32_t chunk, uint32_t pageTokens) {
  const uint64_t positions = uint64_t{window} + chunk - 1;
  return static_cast<uint32_t>((positions + pageTokens - 2) / pageTokens + 1);
}

const KvGroupPlan* MemoryPlan::group(uint32_t window) const {
  const auto found = std::ranges::find(groups, window, &KvGroupPlan::window);
  return found == groups.end() ? nullptr : &*found;
}

uint64_t sessionBytes(const fb::Buffer& buffer, const MemoryPlan& plan) {
  switch (buffer.kind()) {
  case fb::BufferKind::kv:
    return buffer.bytes() * plan.group(buffer.window())->pages;
  case fb::BufferKind::state:
    return buffer.bytes() * plan.slots;
  default:
    return buffer.bytes();
  }
}

namespace {

uint32_t widestPrompt(const Engine& engine) {
  uint32_t rows = 1;
  for (const fb::Phase* phase : *engine.metadata().phases())
    if (isPrompt(*phase))
      rows = std::max(rows, phase->rows());
  return rows;
}

std::vector<KvGroupPlan> groupPlans(const Engine& engine, uint32_t context, uint32_t slots) {
  std::set<uint32_t> windows;
  for (const fb::Buffer* buffer : *engine.metadata().buffers())
    if (buffer->kind() == fb::BufferKind::kv)
      windows.insert(buffer->window());
  std::vector<KvGroupPlan> groups;
  for (const uint32_t window : windows) {
    uint32_t pages = pagesFor(engine, context);
    if (window != 0)
      pages = std::min(pages, windowPages(window, widestPrompt(engine), engine.metadata().page_tokens()));
    groups.push_back({window, pages, slots * pages});
  }
  return groups;
}

/// What the pools of a plan's groups take.
uint64_t poolBytes(const Engine& engine, const MemoryPlan& plan) {
  uint64_t bytes = 0;
  for (const fb::Buffer* buffer : *engine.metadata().buffers())
    if (buffer->kind() == fb::BufferKind::kv)
      bytes += schema::alignUp(sessionBytes(*buffer, plan));
  return bytes;
}

/// Of a page of every pool whose rows see all positions.
uint64_t pageBytes(const Engine& engine) {
  uint64_t bytes = 0;
  for (const fb::Buffer* buffer : *engine.metadata().buffers())
    if (buffer->kind() == fb::BufferKind::kv && buffer->window() == 0)
      bytes += buffer->bytes();
  return bytes;
}

} // namespace

MemoryPlan memoryPlan(const Engine& engine, uint32_t context, uint32_t slots) {
  MemoryPlan plan;
  plan.weights = engine.weightBytes();
  plan.constants = engine.segment(schema::SegmentKind::kConstants).size();
  plan.arena = engine.metadata().arena_bytes();
  plan.slots = slots;
  plan.groups = groupPlans(engine, context, slots);
  plan.kv = poolBytes(engine, plan);
  for (const fb::Buffer* buffer : *engine.metadata().buffers()) {
    if (buffer->kind() == fb::BufferKind::state)
      plan.states += schema::alignUp(sessionBytes(*buffer, plan));
    if (buffer->kind() == fb::BufferKind::io)
      plan.io += schema::alignUp(buffer->bytes());
    if (buffer->kind() == fb::BufferKind::counter)
      plan.counters += schema::alignUp(buffer->bytes());
  }
  return plan;
}

Result<MemoryPlan> memoryPlanWithin(const Engine& engine, uint32_t context, uint32_t slots, uint64_t cacheBytes) {
  MemoryPlan plan = memoryPlan(engine, context, slots);
  for (uint32_t sequences = slots; plan.kv > cacheBytes && sequences > 0; --sequences) {
    plan.groups = groupPlans(engine, context, sequences);
    KvGroupPlan& group = plan.groups.front();
    if (group.window == 0) {
      group.pages = group.slotPages;
      const uint64_t least = poolBytes(engine, plan), page = pageBytes(engine);
      if (least < cacheBytes)
        group.pages += static_cast<uint32_t>(
            std::min<uint64_t>((cacheBytes - least) / page, uint64_t{slots - 1} * group.slotPages));
      while (group.pages > group.slotPages && poolBytes(engine, plan) > cacheBytes) --group.pages; // of alignment
    }
    plan.kv = poolBytes(engine, plan);
  }
  if (plan.kv > cacheBytes)
    return outOfMemory(engine.path(), ": a sequence of ", context, " positions takes ", plan.kv, " bytes of KV cache, ",
                       cacheBytes, " are given");
  return plan;
}

uint64_t cacheBudget(const MemoryPlan& plan, uint64_t available) {
  const uint64_t rest = plan.total() - plan.kv + kReservedBytes;
  return available - std::min(available, rest);
}

bool holds(const Engine& engine, const MemoryPlan& plan, uint32_t sequences, uint32_t positions) {
  return std::ranges::all_of(plan.groups, [&](const KvGroupPlan& group) {
    return uint64_t{sequences} * std::min(group.slotPages, pagesFor(engine, positions)) <= group.pages;
  });
}

std::optional<uint64_t> kvBytesAs(const Engine& engine, const MemoryPlan& plan, KvType type) {
  if (engine.model().head_size() % static_cast<uint32_t>(kvBlock(type)) != 0)
    return std::nullopt;
  uint64_t bytes = 0;
  for (const fb::Buffer* buffer : *engine.metadata().buffers())
    if (buffer->kind() == fb::BufferKind::kv)
      bytes += schema::alignUp(sessionBytes(*buffer, plan) * blockBytes(type) / blockBytes(*buffer));
  return bytes;
}

uint32_t largestContext(const Engine& engine, uint32_t slots, uint64_t available, bool shared) {
  const uint32_t pageTokens = engine.metadata().page_tokens();
  const auto fits = [&](uint32_t pages) {
    const MemoryPlan plan = memoryPlan(engine, pages * pageTokens, slots);
    return (shared ? plan.total() : plan.perSession()) <= available;
  };
  uint32_t low = 0, high = engine.maxPages(); // `low` pages fit, or low is 0
  while (low < high) {
    const uint32_t middle = low + (high - low + 1) / 2;
    if (fits(middle))
      low = middle;
    else
      high = middle - 1;
  }
  return std::min(low * pageTokens, engine.metadata().max_context());
}

Result<void> checkMemory(const Engine& engine, const MemoryPlan& plan, uint32_t slots, uint64_t available,
                         bool shared) {
  const uint64_t needed = shared ? plan.total() : plan.perSession();
  if (needed <= available)
    return {};
  const std::string facts =
      detail::concat("needs ", needed, " bytes of device memory (", shared ? mebibytes(plan.shared()) : "0 MiB",
                     " weights, ", mebibytes(plan.kv + plan.states), " KV cache, ",
                     mebibytes(plan.arena + plan.io + plan.counters), " buffers), ", available, " are free");
  if (const uint32_t context = largestContext(engine, slots, available, shared))
    return outOfMemory(engine.path(), ": ", facts, "; -c ", context, " fits");
  if (slots > 1)
    if (const uint32_t context = largestContext(engine, 1, available, shared))
      return outOfMemory(engine.path(), ": ", facts, "; one slot with -c ", context, " fits");
  return outOfMemory(engine.path(), ": ", facts,
                     "; no context fits: free memory on the device or take a smaller model");
}

} // namespace llcuda
