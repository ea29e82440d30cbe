// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/session.h"

#include <algorithm>
#include <utility>

#include "runtime/schema/phase_facts.h"

namespace llcuda {
namespace {

/// Of the inputs of a prompt phase, which are more than those of its tails, or of edits.
std::size_t stagingBytes(const Engine& engine, const PhaseTable& phases) {
  const uint32_t slots = engine.metadata().max_batch();
  const std::size_t inputs = (3 * phases.maxRows() + slots) * sizeof(int32_t) +
                             phases.maxOutputs() * (sizeof(int32_t) + sizeof(SamplingParams));
  return std::max(inputs, std::size_t{editsBytes(slots)});
}

} // namespace

Session::Session(std::shared_ptr<const Program> program, uint32_t context, MemoryPlan planned, Execution execution)
    : loaded(std::move(program)), positions(context), execution(std::move(execution)), plan(std::move(planned)),
      phases(loaded->engine()), state(loaded->engine(), plan), decodeRows(loaded->engine().metadata().max_batch()),
      samplers(loaded->engine(), plan.slots) {
  const fb::Engine& metadata = loaded->engine().metadata();
  for (const fb::Argument* argument : *metadata.apply_edits()->arguments())
    if (metadata.buffers()->Get(argument->buffer())->role() == fb::IoRole::edits)
      editsBuffer = argument->buffer();
}

Session::~Session() {
  // Memory and graphs may go only when nothing uses them; what a broken device answers changes nothing.
  if (ring)
    (void)stream.synchronize();
}

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<const Program> program, uint32_t context,
                                                 uint32_t slots, Execution execution) {
  assert(context >= 1 && context <= program->engine().metadata().max_context());
  assert(slots >= 1 && slots <= program->engine().metadata().max_batch());
  LLCUDA_ASSIGN_OR_RETURN(MemoryPlan plan, memoryPlanWithin(program->engine(), context, slots, execution.cacheBytes));
  std::unique_ptr<Session> session(new Session(std::move(program), context, std::move(plan), std::move(execution)));
  LLCUDA_ASSIGN_OR_RETURN(const cuda::MemoryInfo info, session->loaded->device().context->memoryInfo());
  LLCUDA_RETURN_IF_ERROR(checkMemory(session->loaded->engine(), session->plan, slots, info.freeBytes, false));
  LLCUDA_RETURN_IF_ERROR(session->allocate());
  if (session->execution.capture == Capture::kAtStart) {
    LLCUDA_RETURN_IF_ERROR(session->loaded->kernels().loadAll()); // no step waits for one of them either
    if (session->hasGraphs())
      LLCUDA_RETURN_IF_ERROR(session->captureAll());
  }
  return session;
}

Result<void> Session::allocate() {
  const Engine& engine = loaded->engine();
  const auto& context = loaded->device().context;
  LLCUDA_ASSIGN_OR_RETURN(stream, cuda::Stream::create(context));
  LLCUDA_ASSIGN_OR_RETURN(memory, SessionMemory::allocate(*loaded, plan, stream));
  pageCopier.emplace(engine, state, memory, stream);
  LLCUDA_ASSIGN_OR_RETURN(staging, Staging::create(context, stagingBytes(engine, phases)));
  const OutputSizes sizes = {phases.maxOutputs(), phases.maxRows(), phases.maxBlocks(), engine.model().vocabulary(),
                             engine.model().embedding()};
  LLCUDA_ASSIGN_OR_RETURN(ring, OutputRing::create(context, sizes));
  for (auto* events : {&chunkDone, &stepDone})
    for (cuda::Event& event : *events) {
      LLCUDA_ASSIGN_OR_RETURN(event, cuda::Event::create(context));
    }
  decodeGraphs.resize(phases.decode().size());
  promptGraphs.resize(phases.prompt().size());
  // Rows that nobody has.
  for (const PhaseIo& io : phases.decode())
    LLCUDA_RETURN_IF_ERROR(
        stream.fill(memory.address(io.buffer(fb::IoRole::positions)), 0xff, io.phase->rows() * sizeof(int32_t)));
  return stream.synchronize();
}

Result<void> Session::captureAll() {
  struct Wanted {
    const PhaseIo& io;
    Graphs& graphs;
    bool tail;
  };
  std::vector<Wanted> wanted; // what decodes samples always
  for (std::size_t i = 0; i < decodeGraphs.size(); ++i) wanted.push_back({phases.decode()[i], decodeGraphs[i], true});
  for (std::size_t i = 0; i < promptGraphs.size(); ++i)
    for (const bool tail : {true, false})
      if (!tail || outputsOf(*phases.prompt()[i].phase) != 0)
        wanted.push_back({phases.prompt()[i], promptGraphs[i], tail});
  for (const Wanted& graph : wanted) {
    LLCUDA_RETURN_IF_ERROR(graphOf(graph.io, graph.graphs, graph.tail));
    if (execution.onCapture)
      execution.onCapture(captured, static_cast<uint32_t>(wanted.size()));
  }
  return {};
}

Result<void> Session::applyEdits() {
  const uint32_t room = pageEditRoom(loaded->engine().metadata().max_batch());
  for (bool more = true; more;) {
    const std::vector<RowEdit> rowEdits = decodeRows.takeEdits();
    const std::vector<PageEdit> pageEdits = state.takeEdits(room);
    if (rowEdits.empty() && pageEdits.empty())
      return {};
    const EditsHeader header = {static_cast<uint32_t>(rowEdits.size()), static_cast<uint32_t>(pageEdits.size())};
    std::vector<std::byte> bytes;
    for (const std::span<const std::byte> part :
         {std::as_bytes(std::span(&header, 1)), std::as_bytes(std::span(rowEdits)),
          std::as_bytes(std::span(pageEdits))})
      bytes.insert(bytes.end(), part.begin(), part.end());
    const Upload upload = {memory.address(editsBuffer), bytes};
    LLCUDA_RETURN_IF_ERROR(staging.upload(stream, {&upload, 1}));
    LLCUDA_RETURN_IF_ERROR(launchOn(stream, *loaded, memory, *loaded->engine().metadata().apply_edits()));
    more = pageEdits.size() == room;
  }
  return {};
}

Result<void> Session::reserve(uint32_t slot, uint32_t first, uint32_t end) {
  assert(end <= positions);
  LLCUDA_RETURN_IF_ERROR(state.reserve(slot, first, end));
  if (state.beginsState(first))
    return clearStates(slot);
  return {};
}

Result<void> Session::clearStates(uint32_t slot) {
  const auto& buffers = *loaded->engine().metadata().buffers();
  for (uint32_t b = 0; b < buffers.size(); ++b)
    if (buffers[b]->kind() == fb::BufferKind::state)
      LLCUDA_RETURN_IF_ERROR(stream.fill(memory.address(b) + slot * buffers[b]->bytes(), 0, buffers[b]->bytes()));
  return {};
}

Result<PhaseGraph*> Session::graphOf(const PhaseIo& io, Graphs& ofPhase, bool samples) {
  return capturedOf(io, samples ? ofPhase.whole : ofPhase.trunk, stepOf(*io.phase, samples));
}

Result<PhaseGraph*> Session::capturedOf(const PhaseIo& io, std::optional<PhaseGraph>& graph, LaunchRange launches) {
  if (!graph) {
    LLCUDA_ASSIGN_OR_RETURN(const cuda::MemoryInfo before, loaded->device().context->memoryInfo());
    LLCUDA_ASSIGN_OR_RETURN(graph, PhaseGraph::capture(*loaded, memory, *io.phase, launches));
    LLCUDA_ASSIGN_OR_RETURN(const cuda::MemoryInfo after, loaded->device().context->memoryInfo());
    bytesOfGraphs += before.freeBytes - std::min(before.freeBytes, after.freeBytes);
    ++captured;
  }
  return &*graph;
}

Result<void> Session::launch(const PhaseIo& io, LaunchRange launches, const StepRows& step) {
  return launchAll({*loaded, memory, stream, *io.phase, step.rows, step.sequences, step.positions, launches},
                   execution.observer);
}

Result<void> Session::runStep(const PhaseIo& io, Graphs& ofPhase, const StepRows& step, const StepTails& tails) {
  if (hasGraphs()) {
    LLCUDA_ASSIGN_OR_RETURN(const PhaseGraph* graph, graphOf(io, ofPhase, tails.sample));
    LLCUDA_RETURN_IF_ERROR(graph->launch(stream));
  } else {
    LLCUDA_RETURN_IF_ERROR(launch(io, stepOf(*io.phase, tails.sample), step));
  }
  return tails.report ? launch(io, launchesOf(*io.phase, fb::TailKind::report), step) : Result<void>();
}

Result<void> Session::readSampled(const PhaseIo& io, uint32_t outputs, const StepReads& reads, bool wantReports) {
  LLCUDA_RETURN_IF_ERROR(ring->copySampled(stream, outputs, address(io, fb::IoRole::sampled)));
  if (wantReports && samplers.isThere())
    LLCUDA_RETURN_IF_ERROR(ring->copyReports(stream, outputs, address(io, fb::IoRole::sampling_reports)));
  if (reads.logits)
    LLCUDA_RETURN_IF_ERROR(ring->copyLogits(stream, outputs, address(io, fb::IoRole::logits)));
  return reads.scores ? ring->copyScores(stream, outputs, address(io, fb::IoRole::scores)) : Result<void>();
}

Result<void> Session::writePrompts(const PhaseIo& io, std::span<const PromptPart> parts) {
  const uint32_t rowCount = io.phase->rows(), block = io.phase->row_block();
  std::vector<int32_t> ids(rowCount, 0), places(rowCount, -1), slotOfRow(rowCount, 0);
  std::vector<int32_t> outputRows, lengths(loaded->engine().metadata().max_batch(), 0);
  std::vector<SamplingParams> sampling;
  uint32_t row = 0;
  for (const PromptPart& part : parts) {
    assert(row + part.tokens.size() <= rowCount);
    lengths[part.slot] = static_cast<int32_t>(part.first + part.tokens.size());
    for (uint32_t i = 0; i < part.tokens.size(); ++i) {
      ids[row + i] = part.tokens[i];
      places[row + i] = static_cast<int32_t>(part.first + i);
      slotOfRow[row + i] = static_cast<int32_t>(part.slot);
    }
    if (part.sampling) {
      outputRows.push_back(static_cast<int32_t>(row + part.tokens.size() - 1));
      sampling.push_back(*part.sampling);
    }
    row += part.blocks(block) * block;
  }
  assert(outputRows.size() <= outputsOf(*io.phase));
  outputRows.resize(outputsOf(*io.phase), -1);
  sampling.resize(outputsOf(*io.phase));
  std::vector<Upload> uploads;
  const auto add = [&](fb::IoRole role, const auto& values) {
    if (const uint32_t buffer = io.buffer(role); buffer != PhaseIo::kNone)
      uploads.push_back({memory.address(buffer), std::as_bytes(std::span(values))});
  };
  add(fb::IoRole::tokens, ids);
  add(fb::IoRole::positions, places);
  add(fb::IoRole::slots, slotOfRow);
  add(fb::IoRole::output_rows, outputRows);
  add(fb::IoRole::sampling, sampling);
  add(fb::IoRole::text_lengths, lengths);
  return staging.upload(stream, uploads);
}

Result<void> Session::runPrompts(uint32_t phase, std::span<const PromptPart> parts, const StepReads& reads) {
  assert(!parts.empty());
  const PhaseIo& io = phases.prompt()[phase];
  StepRows step = {.rows = 0, .sequences = static_cast<uint32_t>(parts.size())};
  uint32_t outputs = 0;
  bool wantReports = false;
  for (const PromptPart& part : parts) {
    const auto count = static_cast<uint32_t>(part.tokens.size());
    assert((part.scored.empty() || part.scored.size() == count) && part.pooled.first + part.pooled.count <= count);
    LLCUDA_RETURN_IF_ERROR(reserve(part.slot, part.first, part.first + count));
    step.rows += count;
    step.positions += part.first + count;
    outputs += part.sampling != nullptr;
    wantReports |= part.sampling && part.sampling->chain != 0 && samplers.reports(part.slot);
  }
  LLCUDA_RETURN_IF_ERROR(applyEdits());
  LLCUDA_RETURN_IF_ERROR(writePrompts(io, parts));
  const StepTails tails = tailsOf(*io.phase, parts, reads);
  const bool hasOutput = tails.sample || tails.scoreRuns != 0 || tails.pool;
  if (hasOutput)
    ring->open();
  if (execution.clock)
    LLCUDA_RETURN_IF_ERROR(execution.clock->start(stream, *io.phase, tails, step));
  LLCUDA_RETURN_IF_ERROR(runStep(io, promptGraphs[phase], step, tails));
  if (tails.sample)
    LLCUDA_RETURN_IF_ERROR(readSampled(io, outputs, reads, wantReports));
  if (tails.scoreRuns != 0)
    LLCUDA_RETURN_IF_ERROR(readScores(io, parts));
  if (tails.pool)
    LLCUDA_RETURN_IF_ERROR(readPooled(io, parts, step));
  if (execution.clock)
    LLCUDA_RETURN_IF_ERROR(execution.clock->stop(stream));
  return hasOutput ? ring->close(stream) : Result<void>();
}

Result<void> Session::prompt(uint32_t slot, uint32_t first, std::span<const int32_t> tokens,
                             const SamplingParams* sampling, const StepReads& reads,
                             const std::atomic<bool>& cancelled) {
  assert(!tokens.empty());
  const auto length = static_cast<uint32_t>(tokens.size());
  for (const PromptRun& run : promptRuns(phases.promptShapes(), {&length, 1})) {
    // Two runs are on their way at most, so that a cancel is heeded soon.
    const cuda::Event& done = chunkDone[chunkCount++ % chunkDone.size()];
    LLCUDA_RETURN_IF_ERROR(done.synchronize());
    if (cancelled.load(std::memory_order_relaxed))
      return makeError(ErrorCode::kCancelled, "cancelled");
    const PromptPiece& piece = run.pieces[0];
    const bool last = piece.first + piece.tokens == length;
    const PromptPart part = {slot, first + piece.first, tokens.subspan(piece.first, piece.tokens),
                             last ? sampling : nullptr};
    LLCUDA_RETURN_IF_ERROR(runPrompts(run.phase, {&part, 1}, reads));
    LLCUDA_RETURN_IF_ERROR(stream.record(done));
  }
  return {};
}

Result<void> Session::join(uint32_t row, const DecodeRow& sequence) {
  LLCUDA_RETURN_IF_ERROR(settle(row));
  decodeRows.join(row, sequence, RowSource::kToken, sequence.token);
  return {};
}

Result<void> Session::joinOutput(uint32_t row, uint32_t output, const DecodeRow& sequence) {
  LLCUDA_RETURN_IF_ERROR(settle(row));
  decodeRows.join(row, sequence, RowSource::kOutput, static_cast<int32_t>(output));
  return {};
}

Result<void> Session::leave(uint32_t row) {
  LLCUDA_RETURN_IF_ERROR(settle(row));
  decodeRows.leave(row);
  return {};
}

Result<void> Session::move(uint32_t from, uint32_t to) {
  LLCUDA_RETURN_IF_ERROR(settle(from));
  LLCUDA_RETURN_IF_ERROR(settle(to));
  decodeRows.move(from, to);
  return {};
}

Result<void> Session::hold(uint32_t row, bool held) {
  LLCUDA_RETURN_IF_ERROR(settle(row));
  decodeRows.hold(row, held);
  return {};
}

Result<void> Session::startDecode(std::span<const DecodeRow> wanted) {
  for (uint32_t row = 0; row < wanted.size(); ++row) LLCUDA_RETURN_IF_ERROR(join(row, wanted[row]));
  for (auto row = static_cast<uint32_t>(wanted.size()); row < decodeRows.count(); ++row)
    if (rows()[row].isUsed)
      LLCUDA_RETURN_IF_ERROR(leave(row));
  return {};
}

Result<void> Session::replaceTokens(std::span<const int32_t> tokens) {
  assert(tokens.size() == decodeRows.count());
  LLCUDA_RETURN_IF_ERROR(applyEdits());
  const Upload upload = {memory.address(phases.decode()[0].buffer(fb::IoRole::tokens)), std::as_bytes(tokens)};
  return staging.upload(stream, {&upload, 1});
}

StepRows Session::decodeStep() const {
  const uint32_t count = decodeRows.count();
  StepRows step = {.rows = count, .sequences = count};
  for (const DecodeRows::Row& row : rows().first(count))
    if (row.isUsed)
      step.positions += row.position + 1;
  return step;
}

bool Session::wantsReports() const {
  return std::ranges::any_of(rows().first(decodeRows.count()),
                             [this](const DecodeRows::Row& row) { return row.isUsed && samplers.reports(row.slot); });
}

Result<void> Session::reserveStep() {
  assert(decodeRows.count() != 0);
  const auto used = rows().first(decodeRows.count());
  for (const DecodeRows::Row& row : used) {
    if (!row.isUsed)
      continue;
    // What the first row of a slot sees stays.
    const auto first =
        std::ranges::find_if(used, [&](const auto& other) { return other.isUsed && other.slot == row.slot; });
    LLCUDA_RETURN_IF_ERROR(reserve(row.slot, first->position, row.position + 1));
  }
  return applyEdits();
}

Result<void> Session::queueStep(const StepReads& reads) {
  LLCUDA_RETURN_IF_ERROR(reserveStep());
  const StepRows step = decodeStep();
  decodeRows.advance();
  const uint32_t phase = phases.decodeFor(step.rows);
  const PhaseIo& io = phases.decode()[phase];
  StepTails tails = true;
  tails.report = reads.scores;
  ring->open();
  if (execution.clock)
    LLCUDA_RETURN_IF_ERROR(execution.clock->start(stream, *io.phase, tails, step));
  LLCUDA_RETURN_IF_ERROR(runStep(io, decodeGraphs[phase], step, tails));
  if (execution.clock)
    LLCUDA_RETURN_IF_ERROR(execution.clock->stop(stream));
  LLCUDA_RETURN_IF_ERROR(readSampled(io, step.rows, reads, wantsReports()));
  return ring->close(stream);
}

Result<void> Session::queueTrunk() {
  LLCUDA_RETURN_IF_ERROR(reserveStep());
  const StepRows step = decodeStep();
  const uint32_t phase = phases.decodeFor(step.rows);
  const PhaseIo& io = phases.decode()[phase];
  if (execution.clock)
    LLCUDA_RETURN_IF_ERROR(execution.clock->start(stream, *io.phase, false, step));
  LLCUDA_RETURN_IF_ERROR(runStep(io, decodeGraphs[phase], step, false));
  return execution.clock ? execution.clock->stop(stream) : Result<void>();
}

Result<void> Session::queueTail(const StepReads& reads) {
  LLCUDA_RETURN_IF_ERROR(applyEdits());
  const StepRows step = decodeStep();
  decodeRows.advance();
  const uint32_t phase = phases.decodeFor(step.rows);
  const PhaseIo& io = phases.decode()[phase];
  const LaunchRange samples = launchesOf(*io.phase, fb::TailKind::sample);
  StepTails tails = true;
  tails.report = reads.scores;
  ring->open();
  if (execution.clock)
    LLCUDA_RETURN_IF_ERROR(execution.clock->start(stream, *io.phase, tails, step, /*trunk=*/false));
  if (hasGraphs()) {
    LLCUDA_ASSIGN_OR_RETURN(const PhaseGraph* graph, capturedOf(io, decodeGraphs[phase].sample, samples));
    LLCUDA_RETURN_IF_ERROR(graph->launch(stream));
  } else {
    LLCUDA_RETURN_IF_ERROR(launch(io, samples, step));
  }
  if (tails.report)
    LLCUDA_RETURN_IF_ERROR(launch(io, launchesOf(*io.phase, fb::TailKind::report), step));
  if (execution.clock)
    LLCUDA_RETURN_IF_ERROR(execution.clock->stop(stream));
  LLCUDA_RETURN_IF_ERROR(readSampled(io, step.rows, reads, wantsReports()));
  return ring->close(stream);
}

Result<std::optional<SlotCopy>> Session::copyOut(uint32_t slot, uint32_t positions, HostPages& host) {
  return SlotCopy::of(*pageCopier, host, state, slot, positions);
}

Result<void> Session::copyIn(uint32_t slot, const SlotCopy& copy) {
  LLCUDA_RETURN_IF_ERROR(state.take(slot, copy.ranges(), copy.positions()));
  return copy.restore(*pageCopier, state, slot);
}

Result<void> Session::endStep() {
  LLCUDA_RETURN_IF_ERROR(stream.record(stepDone[stepCount++ % stepDone.size()]));
  return stepDone[stepCount % stepDone.size()].synchronize();
}

Result<StepOutput> Session::take() {
  LLCUDA_ASSIGN_OR_RETURN(StepOutput output, ring->take());
  const auto vocabulary = static_cast<int32_t>(loaded->engine().model().vocabulary());
  for (int32_t& token : output.sampled)
    if (token >= vocabulary || token < kSampledHeld)
      token = kSampledNothing;
  return output;
}

Result<void> Session::decode(std::span<const DecodeRow> rows, uint32_t steps) {
  LLCUDA_RETURN_IF_ERROR(startDecode(rows));
  for (uint32_t step = 0; step < steps; ++step) {
    LLCUDA_RETURN_IF_ERROR(queueStep(false));
    if (waiting() == OutputRing::kDepth)
      LLCUDA_RETURN_IF_ERROR(take());
  }
  return drain();
}

Result<void> Session::drain() {
  while (ring->waiting() > 0) LLCUDA_RETURN_IF_ERROR(ring->take());
  return {};
}

Result<void> Session::synchronize() {
  LLCUDA_RETURN_IF_ERROR(drain());
  return stream.synchronize();
}

Result<uint32_t> Session::decodeNodes() {
  LLCUDA_ASSIGN_OR_RETURN(PhaseGraph * graph, graphOf(phases.decode()[0], decodeGraphs[0], true));
  return graph->kernelNodes();
}

} // namespace llcuda
