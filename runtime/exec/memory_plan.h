// SPDX-License-Identifier: Apache-2.0
// The exact device memory of an engine, before any of it is allocated: for the runtime's refusal and for
// llcuda-inspect.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "codegen/formats/kv_type.h"
#include "runtime/base/result.h"
#include "runtime/engine/engine.h"

namespace llcuda {

/// Bytes asked of the driver. Modules, graphs and the driver's own context are not in it.
struct MemoryPlan {
  uint64_t weights = 0;   ///< once for all sessions of an engine
  uint64_t constants = 0; ///< the same
  uint64_t arena = 0;
  uint64_t kv = 0;
  uint64_t io = 0;
  uint64_t counters = 0;
  uint32_t pages = 0; ///< in each KV pool that the block table pages
  uint32_t slots = 0;
  uint32_t slotPages = 0; ///< of the context

  uint64_t shared() const { return weights + constants; }
  uint64_t perSession() const { return arena + kv + io + counters; }
  uint64_t total() const { return shared() + perSession(); }
};

/// Pages of a KV pool: those of the block table, or the rings of all slots, the last of which may be cut short.
uint64_t poolPages(const fb::Buffer& pool, const MemoryPlan& plan);

/// `context` in 1 ... max_context positions for each of `slots` in 1 ... max_batch sequences.
MemoryPlan memoryPlan(const Engine& engine, uint32_t context, uint32_t slots);

/// What `plan.kv` is when the model is compiled with keys and values of `type`; nothing when its heads do not divide into
/// blocks of that type.
std::optional<uint64_t> kvBytesAs(const Engine& engine, const MemoryPlan& plan, KvType type);

/// Pages of one sequence of `context` positions.
uint32_t pagesFor(const Engine& engine, uint32_t context);

/// The most positions, in whole pages, with which `available` bytes suffice for `slots` sequences; 0 when none do.
/// `shared` is false when the weights are on the device already.
uint32_t largestContext(const Engine& engine, uint32_t slots, uint64_t available, bool shared);

/// kOutOfMemory unless `plan` fits: says what is needed, what is there, and which context or slots would fit.
Result<void> checkMemory(const Engine& engine, const MemoryPlan& plan, uint32_t slots, uint64_t available, bool shared);

} // namespace llcuda
