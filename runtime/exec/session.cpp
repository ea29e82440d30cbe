// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/session.h"

#include <algorithm>
#include <utility>

#include "runtime/exec/prompt_chunks.h"

namespace llcuda {
namespace {

template <typename T>
std::span<const std::byte> bytesOf(std::span<const T> values) {
  return std::as_bytes(values);
}

std::size_t stagingBytes(const Engine& engine, const PhaseTable& phases) {
  const std::size_t words = std::max(phases.maxRows(), engine.maxPages());
  return std::max(words * sizeof(int32_t), phases.maxOutputs() * sizeof(SamplingParams));
}

} // namespace

Session::Session(std::shared_ptr<const Program> program, uint32_t context, uint32_t slots, Execution execution)
    : loaded(std::move(program)), positions(context), execution(execution),
      plan(llcuda::memoryPlan(loaded->engine(), context, slots)), phases(loaded->engine()),
      state(loaded->engine(), plan) {}

Session::~Session() {
  // Memory and graphs may go only when nothing uses them; what a broken device answers changes nothing.
  if (ring)
    (void)stream.synchronize();
}

Result<std::unique_ptr<Session>> Session::create(std::shared_ptr<const Program> program, uint32_t context,
                                                 uint32_t slots, Execution execution) {
  assert(context >= 1 && context <= program->engine().metadata().max_context());
  assert(slots >= 1 && slots <= program->engine().metadata().max_batch());
  std::unique_ptr<Session> session(new Session(std::move(program), context, slots, execution));
  LLCUDA_ASSIGN_OR_RETURN(const cuda::MemoryInfo info, session->loaded->device().context->memoryInfo());
  LLCUDA_RETURN_IF_ERROR(checkMemory(session->loaded->engine(), session->plan, slots, info.freeBytes, false));
  LLCUDA_RETURN_IF_ERROR(session->allocate());
  return session;
}

Result<void> Session::allocate() {
  const Engine& engine = loaded->engine();
  const auto& context = loaded->device().context;
  LLCUDA_ASSIGN_OR_RETURN(stream, cuda::Stream::create(context));
  LLCUDA_ASSIGN_OR_RETURN(memory, SessionMemory::allocate(*loaded, plan, stream));
  LLCUDA_ASSIGN_OR_RETURN(staging, Staging::create(context, stagingBytes(engine, phases)));
  LLCUDA_ASSIGN_OR_RETURN(ring, OutputRing::create(context, phases.maxOutputs(), engine.model().vocabulary()));
  for (cuda::Event& event : chunkDone) {
    LLCUDA_ASSIGN_OR_RETURN(event, cuda::Event::create(context));
  }
  decodeGraphs.resize(phases.decode().size());
  promptGraphs.resize(phases.prompt().size());
  for (uint32_t slot = 0; slot < engine.metadata().max_batch(); ++slot) LLCUDA_RETURN_IF_ERROR(uploadTables(slot));
  return stream.synchronize();
}

template <typename T>
Result<void> Session::write(const PhaseIo& io, fb::IoRole role, const std::vector<T>& values) {
  const uint32_t buffer = io.buffer(role);
  if (buffer == PhaseIo::kNone)
    return {};
  return staging.upload(stream, memory.address(buffer), bytesOf(std::span<const T>(values)));
}

Result<void> Session::uploadTables(uint32_t slot) {
  for (SlotState::Group& group : state.groups()) {
    if (!group.changed[slot])
      continue;
    const std::span<const int32_t> row = group.table.row(slot);
    const cuda::CUdeviceptr to = memory.address(group.buffer) + slot * row.size_bytes();
    LLCUDA_RETURN_IF_ERROR(staging.upload(stream, to, bytesOf(row)));
    group.changed[slot] = false;
  }
  return {};
}

Result<void> Session::reserve(uint32_t slot, uint32_t first, uint32_t end) {
  assert(end <= positions);
  LLCUDA_RETURN_IF_ERROR(state.reserve(slot, first, end));
  if (state.beginsState(first))
    LLCUDA_RETURN_IF_ERROR(clearStates(slot));
  return uploadTables(slot);
}

Result<void> Session::clearStates(uint32_t slot) {
  const auto& buffers = *loaded->engine().metadata().buffers();
  for (uint32_t b = 0; b < buffers.size(); ++b)
    if (buffers[b]->kind() == fb::BufferKind::state)
      LLCUDA_RETURN_IF_ERROR(stream.fill(memory.address(b) + slot * buffers[b]->bytes(), 0, buffers[b]->bytes()));
  return {};
}

Result<PhaseGraph*> Session::graphOf(const PhaseIo& io, std::optional<PhaseGraph>& graph) {
  if (!graph) {
    LLCUDA_ASSIGN_OR_RETURN(graph, PhaseGraph::capture(*loaded, memory, *io.phase));
  }
  return &*graph;
}

Result<void> Session::runPhase(const PhaseIo& io, std::optional<PhaseGraph>& graph, uint32_t rowCount,
                               uint64_t cached) {
  if (!execution.graphs || execution.observer)
    return launchAll({*loaded, memory, stream, *io.phase, rowCount, cached}, execution.observer);
  LLCUDA_ASSIGN_OR_RETURN(PhaseGraph * captured, graphOf(io, graph));
  return captured->launch(stream);
}

Result<void> Session::queueOutput(const PhaseIo& io, uint32_t outputs, bool wantLogits) {
  return ring->queue(stream, outputs, memory.address(io.buffer(fb::IoRole::sampled)),
                     wantLogits ? memory.address(io.buffer(fb::IoRole::logits)) : 0);
}

Result<void> Session::promptChunk(const PhaseIo& io, uint32_t slot, uint32_t first, std::span<const int32_t> tokens,
                                  const SamplingParams* sampling) {
  const uint32_t rowCount = io.phase->rows();
  std::vector<int32_t> ids(tokens.begin(), tokens.end());
  std::vector<int32_t> places(rowCount, -1), slotOfRow(rowCount, 0);
  ids.resize(rowCount, 0);
  for (uint32_t i = 0; i < tokens.size(); ++i) {
    places[i] = static_cast<int32_t>(first + i);
    slotOfRow[i] = static_cast<int32_t>(slot);
  }
  const int32_t outputRow = sampling ? static_cast<int32_t>(tokens.size() - 1) : -1;
  LLCUDA_RETURN_IF_ERROR(write(io, fb::IoRole::tokens, ids));
  LLCUDA_RETURN_IF_ERROR(write(io, fb::IoRole::positions, places));
  LLCUDA_RETURN_IF_ERROR(write(io, fb::IoRole::slots, slotOfRow));
  LLCUDA_RETURN_IF_ERROR(write(io, fb::IoRole::output_rows, std::vector<int32_t>{outputRow}));
  return write(io, fb::IoRole::sampling, std::vector<SamplingParams>{sampling ? *sampling : SamplingParams{}});
}

Result<void> Session::prompt(uint32_t slot, uint32_t first, std::span<const int32_t> tokens,
                             const SamplingParams* sampling, bool wantLogits, const std::atomic<bool>& cancelled) {
  assert(!tokens.empty());
  for (const PromptChunk& chunk : promptChunks(phases.promptRows(), static_cast<uint32_t>(tokens.size()))) {
    // Two chunks are on their way at most, so that a cancel is heeded soon.
    const cuda::Event& done = chunkDone[chunkCount++ % chunkDone.size()];
    LLCUDA_RETURN_IF_ERROR(done.synchronize());
    if (cancelled.load(std::memory_order_relaxed))
      return makeError(ErrorCode::kCancelled, "cancelled");
    const PhaseIo& io = phases.prompt()[chunk.phase];
    const bool last = chunk.tokens == tokens.size();
    LLCUDA_RETURN_IF_ERROR(reserve(slot, first, first + chunk.tokens));
    LLCUDA_RETURN_IF_ERROR(promptChunk(io, slot, first, tokens.first(chunk.tokens), last ? sampling : nullptr));
    LLCUDA_RETURN_IF_ERROR(runPhase(io, promptGraphs[chunk.phase], chunk.tokens, first + chunk.tokens));
    LLCUDA_RETURN_IF_ERROR(stream.record(done));
    if (last && sampling)
      return queueOutput(io, 1, wantLogits);
    first += chunk.tokens;
    tokens = tokens.subspan(chunk.tokens);
  }
  return {};
}

Result<void> Session::startDecode(std::span<const DecodeRow> wanted) {
  decodePhase = phases.decodeFor(static_cast<uint32_t>(wanted.size()));
  rows.assign(wanted.begin(), wanted.end());
  const PhaseIo& io = phases.decode()[decodePhase];
  const uint32_t rowCount = io.phase->rows();
  std::vector<int32_t> ids(rowCount, 0), places(rowCount, -1), slotOfRow(rowCount, 0);
  std::vector<SamplingParams> sampling(rowCount);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ids[i] = rows[i].token;
    places[i] = static_cast<int32_t>(rows[i].position);
    slotOfRow[i] = static_cast<int32_t>(rows[i].slot);
    sampling[i] = rows[i].sampling;
    sampling[i].step = rows[i].position;
  }
  LLCUDA_RETURN_IF_ERROR(write(io, fb::IoRole::tokens, ids));
  LLCUDA_RETURN_IF_ERROR(write(io, fb::IoRole::positions, places));
  LLCUDA_RETURN_IF_ERROR(write(io, fb::IoRole::slots, slotOfRow));
  return write(io, fb::IoRole::sampling, sampling);
}

Result<void> Session::replaceTokens(std::span<const int32_t> tokens) {
  assert(tokens.size() == rows.size());
  return write(phases.decode()[decodePhase], fb::IoRole::tokens, std::vector<int32_t>(tokens.begin(), tokens.end()));
}

Result<void> Session::queueStep(bool wantLogits) {
  assert(!rows.empty());
  const PhaseIo& io = phases.decode()[decodePhase];
  uint64_t cached = 0;
  for (DecodeRow& row : rows) {
    LLCUDA_RETURN_IF_ERROR(reserve(row.slot, row.position, row.position + 1));
    cached += ++row.position;
  }
  const auto count = static_cast<uint32_t>(rows.size());
  LLCUDA_RETURN_IF_ERROR(runPhase(io, decodeGraphs[decodePhase], count, cached));
  return queueOutput(io, count, wantLogits);
}

Result<StepOutput> Session::take() {
  LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, ring->take());
  const auto vocabulary = static_cast<int32_t>(loaded->engine().model().vocabulary());
  for (int32_t token : output.sampled)
    if (token < 0 || token >= vocabulary)
      return internalError("the device sampled token ", token, ", the vocabulary has ", vocabulary);
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

Result<uint32_t> Session::decodeNodes() {
  LLCUDA_ASSIGN_OR_RETURN(PhaseGraph * graph, graphOf(phases.decode()[0], decodeGraphs[0]));
  return graph->kernelNodes();
}

} // namespace llcuda
