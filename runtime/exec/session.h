// SPDX-License-Identifier: Apache-2.0
// Runs an engine's phases: prompts into the cache, decode steps for the rows of several sequences. Which tokens come
// when is its caller's business (sequence.h).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "codegen/formats/sampling.h"
#include "runtime/base/result.h"
#include "runtime/exec/memory_plan.h"
#include "runtime/exec/output_ring.h"
#include "runtime/exec/phase_graph.h"
#include "runtime/exec/phase_run.h"
#include "runtime/exec/phase_table.h"
#include "runtime/exec/program.h"
#include "runtime/exec/session_memory.h"
#include "runtime/exec/slot_state.h"
#include "runtime/exec/staging.h"

namespace llcuda {

/// One row of a decode phase: the next token of one sequence.
struct DecodeRow {
  uint32_t slot = 0;
  int32_t token = 0;
  uint32_t position = 0; ///< of `token`
  SamplingParams sampling = {};
};

/// How phases are run.
struct Execution {
  bool graphs = true;                 ///< captured once and replayed; else launch by launch
  LaunchObserver* observer = nullptr; ///< outlives the session; with one there are no graphs
};

/// One thread at a time. After an error other than kCancelled the device's state is unknown: destroy the session.
class Session {
public:
  /// `context` in 1 ... max_context, `slots` in 1 ... max_batch; memory is checked before it is allocated.
  static Result<std::unique_ptr<Session>> create(std::shared_ptr<const Program> program, uint32_t context,
                                                 uint32_t slots, Execution execution = {});
  ~Session();

  const Program& program() const { return *loaded; }
  const MemoryPlan& memoryPlan() const { return plan; }
  uint32_t context() const { return positions; }

  /// Writes the cache of `tokens` (at least one) at positions `first` ... of a slot, which is continuable() there. With `sampling` the token after the
  /// last one is an output to take(). Ends the running decode. kCancelled between two chunks once `cancelled` is set.
  Result<void> prompt(uint32_t slot, uint32_t first, std::span<const int32_t> tokens, const SamplingParams* sampling,
                      bool wantLogits, const std::atomic<bool>& cancelled);

  /// Sets the rows of the decode steps that follow; each goes on from its own position.
  Result<void> startDecode(std::span<const DecodeRow> rows);
  /// Replaces the tokens that the next step reads, one for each row: otherwise they are those that the last one sampled.
  Result<void> replaceTokens(std::span<const int32_t> tokens);
  /// Queues one step: one graph launch. Its output is to be taken.
  Result<void> queueStep(bool wantLogits);

  /// Outputs queued and not taken, at most OutputRing::kDepth.
  uint32_t waiting() const { return ring->waiting(); }
  /// The oldest output, once it is there. kInternal when a sampled token is none.
  Result<StepOutput> take();
  /// Waits for all that is queued and drops its outputs.
  Result<void> drain();
  /// startDecode(), `steps` steps, and the end of the last one; their outputs are dropped. For what measures.
  Result<void> decode(std::span<const DecodeRow> rows, uint32_t steps);

  /// How many of the first `positions` of a slot a prompt can build on: SlotState::continuable().
  uint32_t continuable(uint32_t slot, uint32_t positions) const { return state.continuable(slot, positions); }
  /// Forgets the positions of a slot from `positions` on.
  void truncate(uint32_t slot, uint32_t positions) { state.truncate(slot, positions); }
  /// Lets an empty slot begin with whole pages of what another has: SlotState::share().
  uint32_t share(uint32_t slot, uint32_t from, uint32_t positions) { return state.share(slot, from, positions); }

  /// Kernel launches of a decode step for one sequence, from the captured graph.
  Result<uint32_t> decodeNodes();

private:
  Session(std::shared_ptr<const Program> program, uint32_t context, uint32_t slots, Execution execution);
  Result<void> allocate();
  /// One step of a phase over `rows` rows that attend to `cached` positions in all.
  Result<void> runPhase(const PhaseIo& io, std::optional<PhaseGraph>& graph, uint32_t rows, uint64_t cached);
  Result<PhaseGraph*> graphOf(const PhaseIo& io, std::optional<PhaseGraph>& graph);
  Result<void> promptChunk(const PhaseIo& io, uint32_t slot, uint32_t first, std::span<const int32_t> tokens,
                           const SamplingParams* sampling);
  /// Pages for positions up to `end`, which are about to be written from `first` on.
  Result<void> reserve(uint32_t slot, uint32_t first, uint32_t end);
  /// Brings the rows of block tables that changed to the device.
  Result<void> uploadTables(uint32_t slot);
  Result<void> clearStates(uint32_t slot);
  Result<void> queueOutput(const PhaseIo& io, uint32_t outputs, bool wantLogits);
  template <typename T>
  Result<void> write(const PhaseIo& io, fb::IoRole role, const std::vector<T>& values);

  std::shared_ptr<const Program> loaded;
  uint32_t positions;
  Execution execution;
  MemoryPlan plan;
  PhaseTable phases;
  SlotState state;
  cuda::Stream stream;
  SessionMemory memory;
  Staging staging;
  std::optional<OutputRing> ring;
  std::vector<std::optional<PhaseGraph>> decodeGraphs, promptGraphs;
  std::array<cuda::Event, 2> chunkDone;
  std::size_t chunkCount = 0;
  uint32_t decodePhase = 0;
  std::vector<DecodeRow> rows; // of the running decode; positions of the next step to queue
};

} // namespace llcuda
