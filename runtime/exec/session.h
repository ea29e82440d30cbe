// SPDX-License-Identifier: Apache-2.0
// Runs an engine's phases: prompts into the cache, decode steps for the rows of several sequences. Which tokens come
// when is its caller's business (sequence.h).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "codegen/formats/launch_work.h"
#include "codegen/formats/sampling.h"
#include "runtime/base/result.h"
#include "runtime/exec/decode_rows.h"
#include "runtime/exec/memory_plan.h"
#include "runtime/exec/output_ring.h"
#include "runtime/exec/page_copy.h"
#include "runtime/exec/phase_clock.h"
#include "runtime/exec/phase_graph.h"
#include "runtime/exec/phase_run.h"
#include "runtime/exec/phase_table.h"
#include "runtime/exec/program.h"
#include "runtime/exec/session_memory.h"
#include "runtime/exec/slot_copy.h"
#include "runtime/exec/slot_samplers.h"
#include "runtime/exec/slot_state.h"
#include "runtime/exec/staging.h"
#include "runtime/exec/step_tails.h"

namespace llcuda {

/// Rows that follow one another.
struct RowRange {
  uint32_t first = 0;
  uint32_t count = 0;
};

/// Tokens of one sequence in a prompt phase.
struct PromptPart {
  uint32_t slot = 0;
  uint32_t first = 0;                       ///< position of the first token; the slot is continuable() there
  std::span<const int32_t> tokens;          ///< at least one
  const SamplingParams* sampling = nullptr; ///< if not null, the token after the last one is an output
  std::span<const int32_t> scored = {}; ///< behind each of the tokens the one whose score is wanted, -1 for none; or
                                        ///< empty: of none
  RowRange pooled;                      ///< of the tokens, those whose rows are summed

  /// Blocks of rows that it takes.
  uint32_t blocks(uint32_t rowBlock) const { return (static_cast<uint32_t>(tokens.size()) + rowBlock - 1) / rowBlock; }
};

/// When graphs are captured.
enum class Capture {
  kLazily,  ///< each when its phase runs first: what decodes one sequence does without most
  kAtStart, ///< all, before the session is there: no step waits for one
};

/// How a session runs phases, and in how much memory.
struct Execution {
  bool graphs = true; ///< captured once and replayed; else launch by launch
  Capture capture = Capture::kLazily;
  std::function<void(uint32_t done, uint32_t all)> onCapture; ///< after each of those at the start; may be empty
  uint64_t cacheBytes = UINT64_MAX;   ///< of the page pools at most; they have no more than all slots can use
  LaunchObserver* observer = nullptr; ///< outlives the session; with one there are no graphs
  PhaseClock* clock = nullptr;        ///< outlives the session; times its phases
};

/// One thread at a time. Everything is queued in the order of calls, and only take(), drain() and synchronize() wait
/// for it. After kInternal the device's state is unknown: destroy the session.
class Session {
public:
  /// `context` in 1 ... max_context, `slots` in 1 ... max_batch; memory is checked before it is allocated.
  static Result<std::unique_ptr<Session>> create(std::shared_ptr<const Program> program, uint32_t context,
                                                 uint32_t slots, Execution execution = {});
  ~Session();

  const Program& program() const { return *loaded; }
  const MemoryPlan& memoryPlan() const { return plan; }
  uint32_t context() const { return positions; }

  /// Writes the cache of `tokens` (at least one) at positions `first` ... of a slot, which is continuable() there. With
  /// `sampling` the token after the last one is an output to take(). Ends the running decode. kCancelled between two
  /// chunks once `cancelled` is set.
  Result<void> prompt(uint32_t slot, uint32_t first, std::span<const int32_t> tokens, const SamplingParams* sampling,
                      const StepReads& reads, const std::atomic<bool>& cancelled);
  /// The prompt phases, as promptRuns() takes them; indices of them are those of runPrompts().
  std::span<const PromptShape> promptShapes() const { return phases.promptShapes(); }
  /// Runs one prompt phase over parts of several slots, each of which begins at a multiple of its row block. The
  /// outputs of those with `sampling`, the scores of those with `scored` and the sums of those with `pooled`, in their
  /// order, are one output to take(); there is none where no part asks for any. Where one is pooled there are sums of
  /// all parts, of each as many as its tokens fill row blocks, zeros where nothing is summed.
  Result<void> runPrompts(uint32_t phase, std::span<const PromptPart> parts, const StepReads& reads);

  /// Tells a slot how to go on with the sequence `tokens`, of which `state` is the sampler's: rows and outputs of it
  /// whose SamplingParams have a chain go by that. In the order of calls, as all that follows.
  Result<void> startSampling(uint32_t slot, const Sampler& sampler, std::span<const int32_t> tokens,
                             const SamplerState& state) {
    return samplers.start(stream, *loaded, memory, slot, sampler, tokens, state);
  }
  /// What rows of a slot read as its tokens at positions `first` and on. Samplers that look back need it in front of a
  /// step with several rows of the slot: a row alone tells the slot its own token, those beside it do not see that.
  Result<void> writeHistory(uint32_t slot, uint32_t first, std::span<const int32_t> tokens) {
    return samplers.writeHistory(stream, *loaded, memory, slot, first, tokens);
  }
  /// From now on rows of the slot with a chain sample tokens alone whose bit (t % 32 of word t / 32) is set, until the
  /// next mask, clearMask() or startSampling().
  Result<void> writeMask(uint32_t slot, std::span<const uint32_t> words) {
    return samplers.writeMask(stream, *loaded, memory, slot, words);
  }
  /// Whether the engine's sampler has masks, as it has chains.
  bool hasMasks() const { return samplers.isThere(); }
  Result<void> clearMask(uint32_t slot) { return samplers.clearMask(stream, *loaded, memory, slot); }

  // The rows of the decode steps that follow. Each goes on from its own position with what it samples; changes are told
  // the device in front of the next phase, without waiting for those that are queued. A row that samples
  // kSampledNothing is nobody's from then on, also where the host has not left it yet. Rows of one slot stand in the
  // order of their positions, which follow one another: each sees the keys that those before it write in the same step.

  /// A sequence joins as row `row`, whatever that was.
  Result<void> join(uint32_t row, const DecodeRow& sequence);
  /// The same with the token that output `output` of the last runPrompts() samples, whether it is known yet or not.
  Result<void> joinOutput(uint32_t row, uint32_t output, const DecodeRow& sequence);
  Result<void> leave(uint32_t row);
  /// What row `from` is becomes row `to`, whatever that was.
  Result<void> move(uint32_t from, uint32_t to);
  /// A held row is computed and samples kSampledHeld: its next step is the same again.
  Result<void> hold(uint32_t row, bool held);
  std::span<const DecodeRows::Row> rows() const { return decodeRows.all(); }

  /// Makes these the rows, from 0 on, and no others.
  Result<void> startDecode(std::span<const DecodeRow> rows);
  /// Replaces the tokens that the next step reads, one for each row: otherwise they are those that the last one
  /// sampled.
  Result<void> replaceTokens(std::span<const int32_t> tokens);
  /// Queues one step of the narrowest phase that has all rows: one graph launch. Its output, up to the last row that is
  /// used, is to be taken.
  Result<void> queueStep(const StepReads& reads);
  /// queueStep() in two calls: the trunk, and what samples. Between them masks can be written and rows held, and
  /// nothing else about rows may change.
  Result<void> queueTrunk();
  Result<void> queueTail(const StepReads& reads);

  /// Outputs queued and not taken, at most OutputRing::kDepth.
  uint32_t waiting() const { return ring->waiting(); }
  /// Whether the oldest output is there.
  Result<bool> hasOutput() const { return ring->hasArrived(); }
  /// The oldest output, once it is there. What is no token of the vocabulary is kSampledNothing or kSampledHeld.
  Result<StepOutput> take();
  /// Waits for all that is queued and drops its outputs.
  Result<void> drain();
  /// The same; also for what has no output.
  Result<void> synchronize();
  /// startDecode(), `steps` steps, and the end of the last one; their outputs are dropped. For what measures.
  Result<void> decode(std::span<const DecodeRow> rows, uint32_t steps);

  /// How many of the first `positions` of a slot a prompt can build on: SlotState::continuable().
  uint32_t continuable(uint32_t slot, uint32_t positions) const { return state.continuable(slot, positions); }
  /// Forgets the positions of a slot from `positions` on.
  void truncate(uint32_t slot, uint32_t positions) { state.truncate(slot, positions); }
  /// Lets an empty slot begin with whole pages of what another has: SlotState::share().
  uint32_t share(uint32_t slot, uint32_t from, uint32_t positions) { return state.share(slot, from, positions); }

  /// What the slots hold.
  const SlotState& slots() const { return state; }
  /// Gives back what a slot holds and the positions `first` ... `end` - 1, which are computed next, do not need.
  void trim(uint32_t slot, uint32_t first, uint32_t end) { state.trim(slot, first, end); }
  /// Lets an empty slot begin with pages that have holders: SlotState::begin().
  void begin(uint32_t slot, std::span<const SlotState::Beginning> given, uint32_t positions) {
    state.begin(slot, given, positions);
  }
  /// Of a group of slots(): for what holds pages beside the slots.
  PagePool& pool(std::size_t group) { return state.pool(group); }
  /// Copies pages in the order of calls: what is copied to the host may be overwritten by later ones.
  const PageCopier& copier() const { return *pageCopier; }
  /// Copies what a slot holds of its first `positions` positions (at least one) to host memory, in the order of calls;
  /// nothing when there is no room for it. The kinds of `host` are those of copier().blockBytes().
  Result<std::optional<SlotCopy>> copyOut(uint32_t slot, uint32_t positions, HostPages& host);
  /// Makes an empty slot hold what was copied, bit for bit, in pages of its own. kOutOfMemory when too few are free.
  Result<void> copyIn(uint32_t slot, const SlotCopy& copy);

  /// The phase that queueStep() runs for rows up to `rows`, and one of those of runPrompts().
  const fb::Phase& decodePhase(uint32_t rows) const { return *phases.decode()[phases.decodeFor(rows)].phase; }
  const fb::Phase& promptPhase(uint32_t phase) const { return *phases.prompt()[phase].phase; }

  /// Ends a step of the caller's making, and waits for the end of the one before it.
  Result<void> endStep();

  /// Graphs that were captured, and what memory of the device went with them, as the driver says.
  uint32_t graphCount() const { return captured; }
  uint64_t graphBytes() const { return bytesOfGraphs; }

  /// Kernel launches of a decode step for one sequence, from the captured graph.
  Result<uint32_t> decodeNodes();

private:
  Session(std::shared_ptr<const Program> program, uint32_t context, MemoryPlan plan, Execution execution);
  Result<void> allocate();
  Result<void> captureAll();
  /// The graphs of a phase: the trunk and the tail that samples as one, where nothing comes between, and each of them
  /// alone. What else may follow is launched by itself: it is asked for seldom.
  struct Graphs {
    std::optional<PhaseGraph> whole, trunk, sample;
  };

  /// The trunk of a phase, and of its tails those that sample and report.
  Result<void> runStep(const PhaseIo& io, Graphs& ofPhase, const StepRows& step, const StepTails& tails);
  Result<void> launch(const PhaseIo& io, LaunchRange launches, const StepRows& step);
  Result<PhaseGraph*> graphOf(const PhaseIo& io, Graphs& ofPhase, bool samples);
  Result<PhaseGraph*> capturedOf(const PhaseIo& io, std::optional<PhaseGraph>& graph, LaunchRange launches);
  /// Of the decode step that is queued next.
  StepRows decodeStep() const;
  bool wantsReports() const;
  Result<void> reserveStep();
  /// Into the output that is open: what a step sampled, and what its rows ask for beside.
  Result<void> readSampled(const PhaseIo& io, uint32_t outputs, const StepReads& reads, bool wantReports);
  static StepTails tailsOf(const fb::Phase& phase, std::span<const PromptPart> parts, const StepReads& reads);
  Result<void> readScores(const PhaseIo& io, std::span<const PromptPart> parts);
  Result<void> readPooled(const PhaseIo& io, std::span<const PromptPart> parts, const StepRows& step);
  bool hasGraphs() const { return execution.graphs && !execution.observer; }
  Result<void> writePrompts(const PhaseIo& io, std::span<const PromptPart> parts);
  /// Pages for positions up to `end`, which are about to be written from `first` on.
  Result<void> reserve(uint32_t slot, uint32_t first, uint32_t end);
  /// Queues what changed of rows and block tables since the last call.
  Result<void> applyEdits();
  /// Queues changes that those of `row` must not be mixed with.
  Result<void> settle(uint32_t row) { return decodeRows.isEdited(row) ? applyEdits() : Result<void>(); }
  Result<void> clearStates(uint32_t slot);
  cuda::CUdeviceptr address(const PhaseIo& io, fb::IoRole role) const { return memory.address(io.buffer(role)); }
  std::shared_ptr<const Program> loaded;
  uint32_t positions;
  Execution execution;
  MemoryPlan plan;
  PhaseTable phases;
  SlotState state;
  cuda::Stream stream;
  SessionMemory memory;
  std::optional<PageCopier> pageCopier;
  Staging staging;
  std::optional<OutputRing> ring;
  std::vector<Graphs> decodeGraphs, promptGraphs;
  uint32_t captured = 0;
  uint64_t bytesOfGraphs = 0;
  std::array<cuda::Event, 2> chunkDone, stepDone;
  std::size_t chunkCount = 0, stepCount = 0;
  DecodeRows decodeRows;
  SlotSamplers samplers;
  uint32_t editsBuffer = 0;
};

} // namespace llcuda
