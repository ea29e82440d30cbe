// SPDX-License-Identifier: Apache-2.0
// The exact device memory of an engine, before any of it is allocated: for the runtime's refusal and for
// llcuda-inspect.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codegen/formats/kv_type.h"
#include "runtime/base/result.h"
#include "runtime/engine/engine.h"

namespace llcuda {

/// Pages of the KV pools whose rows see the same positions.
struct KvGroupPlan {
  uint32_t window = 0;    ///< positions that a row sees; 0: all
  uint32_t slotPages = 0; ///< that a slot holds at most: of the context, or of the window and the widest prompt phase
  uint32_t pages = 0;     ///< in each pool
};

/// Bytes asked of the driver. Modules, graphs and the driver's own context are not in it.
struct MemoryPlan {
  uint64_t weights = 0;   ///< once for all sessions of an engine
  uint64_t constants = 0; ///< the same
  uint64_t arena = 0;
  uint64_t kv = 0;
  uint64_t states = 0;
  uint64_t io = 0;
  uint64_t counters = 0;
  uint32_t slots = 0;
  std::vector<KvGroupPlan> groups; ///< by rising window, the one without first

  uint64_t shared() const { return weights + constants; }
  uint64_t perSession() const { return arena + kv + states + io + counters; }
  uint64_t total() const { return shared() + perSession(); }
  /// The group of this window; null when no pool has it.
  const KvGroupPlan* group(uint32_t window) const;
};

/// What a buffer of a session takes: of a pool its pages, of a state that of every slot.
uint64_t sessionBytes(const fb::Buffer& buffer, const MemoryPlan& plan);

/// Pages that a slot needs where rows see `window` positions and up to `chunk` of them are written before they are
/// read: those that window + chunk - 1 positions touch, wherever they begin.
uint32_t windowPages(uint32_t window, uint32_t chunk, uint32_t pageTokens);

/// `context` in 1 ... max_context positions for each of `slots` in 1 ... max_batch sequences.
MemoryPlan memoryPlan(const Engine& engine, uint32_t context, uint32_t slots);

/// The same with pools of at most `cacheBytes`, and no more than the slots can use: those of layers with a window have
/// what their slots need while the others hold a sequence of `context` positions and, of what is left, as many pages as
/// fit. kOutOfMemory when not even one such sequence fits.
Result<MemoryPlan> memoryPlanWithin(const Engine& engine, uint32_t context, uint32_t slots, uint64_t cacheBytes);

/// What is left of `available` bytes for pools when all else of the plan is there and kReservedBytes stay free, for
/// graphs and for what the driver needs.
inline constexpr uint64_t kReservedBytes = uint64_t{256} << 20;
uint64_t cacheBudget(const MemoryPlan& plan, uint64_t available);

/// Whether the pools hold `sequences` sequences of `positions` positions at a time.
bool holds(const Engine& engine, const MemoryPlan& plan, uint32_t sequences, uint32_t positions);

/// What `plan.kv` is when the model is compiled with keys and values of `type`; nothing when its heads do not divide
/// into blocks of that type.
std::optional<uint64_t> kvBytesAs(const Engine& engine, const MemoryPlan& plan, KvType type);

/// Pages of one sequence of `context` positions.
uint32_t pagesFor(const Engine& engine, uint32_t context);

/// The most positions, in whole pages, with which `available` bytes suffice for `slots` sequences; 0 when none do.
/// `shared` is false when the weights are on the device already.
uint32_t largestContext(const Engine& engine, uint32_t slots, uint64_t available, bool shared);

/// kOutOfMemory unless `plan` fits: says what is needed, what is there, and which context or slots would fit.
Result<void> checkMemory(const Engine& engine, const MemoryPlan& plan, uint32_t slots, uint64_t available, bool shared);

} // namespace llcuda
