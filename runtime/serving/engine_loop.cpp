// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/engine_loop.h"

#include <algorithm>
#include <utility>

namespace llcuda::serving {
namespace {

using Clock = std::chrono::steady_clock;
constexpr uint32_t kNone = UINT32_MAX;

uint64_t nanosecondsSince(Clock::time_point start) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
}

} // namespace

struct EngineLoop::Request {
  Request(uint64_t id, RequestOptions given, const text::Tokenizer* tokenizer, Clock::time_point arrival,
          uint64_t number, uint32_t context)
      : id(id), number(number), arrival(arrival), lastStep(arrival), tokens(std::move(given.tokens)),
        options(std::move(given)), answer(tokenizer, options.specialText, options.stops) {
    metrics.promptTokens = static_cast<uint32_t>(tokens.size());
    const uint64_t room = context - tokens.size() + 1; // the last token needs no position
    const uint64_t wanted = options.maxTokens < 0 ? UINT64_MAX : static_cast<uint64_t>(options.maxTokens);
    limit = std::min(room, wanted);
    limitReason = room < wanted ? StopReason::kContext : StopReason::kLength;
  }

  uint32_t length() const { return static_cast<uint32_t>(tokens.size()); }

  const uint64_t id, number; ///< the second: its place in order of arrival
  const Clock::time_point arrival;
  Clock::time_point lastStep;  ///< when it last had a slot
  std::vector<int32_t> tokens; ///< prompt, and what was read of the answer
  const RequestOptions options;
  Answer answer;
  uint64_t limit; ///< tokens to generate
  StopReason limitReason;
  uint64_t queued = 0;   ///< of them, whose step is queued
  uint32_t inFlight = 0; ///< of these, not read yet
  bool hasStarted = false, hasEnded = false;
  uint32_t slot = kNone, row = kNone;
  uint32_t computed = 0;         ///< positions in the cache, while it has no row
  std::optional<SlotCopy> saved; ///< while it is paused
  RequestMetrics metrics;
};

EngineLoop::EngineLoop(Session& session, PhaseClock& clock, TextRules text, LoopOptions options, EventQueue& events)
    : session(session), clock(clock), text(text), options(options), events(events), costs(session) {
  for (uint32_t slot = session.memoryPlan().slots; slot-- > 0;) freeSlots.push_back(slot);
}

EngineLoop::~EngineLoop() {
  // Copies may be on their way into host memory; what a broken device answers changes nothing.
  (void)session.synchronize();
}

// --------------------------------------------------------------------------------------------------------- who runs

Result<void> EngineLoop::submit(uint64_t id, RequestOptions given, Clock::time_point arrival) {
  auto request =
      std::make_shared<Request>(id, std::move(given), text.tokenizer, arrival, nextArrival++, session.context());
  requests.emplace(id, request);
  if (request->limit == 0)
    return finish(*request, StopReason::kLength);
  waiting.push_back(std::move(request));
  return {};
}

Result<void> EngineLoop::cancel(std::optional<uint64_t> id) {
  std::vector<Shared> ended;
  for (const auto& [number, request] : requests)
    if (!id || number == *id)
      ended.push_back(request);
  for (const Shared& request : ended) {
    ++counted.cancelled;
    LLCUDA_RETURN_IF_ERROR(fail(*request, makeError(ErrorCode::kCancelled, "cancelled")));
  }
  return {};
}

Standing EngineLoop::standingOf(const Request& request) const {
  const double waited = static_cast<double>(nanosecondsSince(request.lastStep)) / 1e6;
  return {request.options.priority, request.number, request.slot == kNone || request.row == kNone ? waited : 0};
}

/// Pages that prompts with a slot will take and have not.
uint32_t EngineLoop::promised(std::size_t group) const {
  const PageTable& table = session.slots().groups()[group].table;
  uint32_t pages = 0;
  for (const Shared& request : prompts) {
    const uint32_t most = table.mostPages(request->length());
    pages += most - std::min(most, table.heldBy(request->slot, session.context()).count());
  }
  return pages;
}

/// Whether it can be computed up to its first token, and every other one go on for a page.
bool EngineLoop::hasPagesFor(const Request& request) const {
  const uint32_t end = std::min(request.length() + 1, session.context());
  for (std::size_t group = 0; group < session.slots().groups().size(); ++group) {
    const PageTable& table = session.slots().groups()[group].table;
    uint64_t wanted = table.mostPages(end) + promised(group);
    for (const auto* list : {&prompts, &rows})
      for (const Shared& other : *list)
        wanted += table.heldBy(other->slot, session.context()).count() < table.shape().slotPages;
    if (wanted > table.pool().freeCount() && !(prompts.empty() && rows.empty()))
      return false;
  }
  return true;
}

/// Sequences whose tokens are all queued need no row and no pages any more.
Result<void> EngineLoop::dismiss() {
  for (std::size_t row = rows.size(); row-- > 0;)
    if (const Shared request = rows[row]; request->queued == request->limit)
      LLCUDA_RETURN_IF_ERROR(release(*request));
  return {};
}

Result<void> EngineLoop::admit() {
  if (freeSlots.empty())
    return {};
  std::vector<Shared> order = paused;
  order.insert(order.end(), waiting.begin(), waiting.end());
  std::vector<std::pair<Standing, Shared>> candidates;
  for (Shared& request : order) candidates.emplace_back(standingOf(*request), std::move(request));
  std::ranges::sort(candidates,
                    [&](const auto& a, const auto& b) { return a.first.precedes(b.first, options.planner.aging); });
  // Who does not fit is not overtaken: he would never fit.
  for (const auto& [standing, request] : candidates) {
    LLCUDA_ASSIGN_OR_RETURN(const bool started, tryStart(request));
    if (!started)
      break;
  }
  return {};
}

Result<bool> EngineLoop::tryStart(const Shared& request) {
  if (freeSlots.empty() || request->inFlight != 0 || !hasPagesFor(*request))
    return false;
  std::erase(waiting, request);
  std::erase(paused, request);
  request->slot = freeSlots.back();
  freeSlots.pop_back();
  if (!request->hasStarted) {
    request->hasStarted = true;
    request->metrics.waitNs = nanosecondsSince(request->arrival);
    Event event;
    event.kind = EventKind::kStarted;
    event.seed = request->options.sampling.seed;
    emit(*request, std::move(event));
  }
  request->computed = 0;
  if (request->saved) {
    LLCUDA_RETURN_IF_ERROR(session.copyIn(request->slot, *request->saved));
    request->computed = request->saved->positions();
    hostBytes -= request->saved->bytes();
    retired.push_back(*std::exchange(request->saved, std::nullopt));
  }
  if (request->computed != 0 && request->computed + 1 == request->length() && request->queued != 0) {
    const DecodeRow row = {request->slot, request->tokens.back(), request->computed, request->options.sampling};
    request->row = static_cast<uint32_t>(rows.size());
    LLCUDA_RETURN_IF_ERROR(session.join(request->row, row));
    rows.push_back(request);
  } else {
    prompts.push_back(request);
  }
  return true;
}

Result<void> EngineLoop::pause(const Shared& request) {
  ++counted.pauses;
  ++request->metrics.pauses;
  if (request->row != kNone)
    request->computed = session.rows()[request->row].position;
  if (request->computed != 0) {
    const uint64_t bytes =
        SlotCopy::bytesOf(session.program().engine(), session.slots(), request->slot, request->computed);
    if (hostBytes + bytes <= options.hostCacheBytes) {
      Result<SlotCopy> copy = session.copyOut(request->slot, request->computed);
      if (!copy && copy.error().code != ErrorCode::kOutOfMemory)
        return copy.error();
      if (copy) {
        request->saved = std::move(*copy);
        hostBytes += bytes;
      }
    }
    counted.recomputed += !request->saved;
  }
  request->lastStep = Clock::now();
  LLCUDA_RETURN_IF_ERROR(release(*request));
  paused.push_back(request);
  return {};
}

/// Gives back row and slot. What is queued may still write there: it does so before whoever comes next.
Result<void> EngineLoop::release(Request& request) {
  if (request.row != kNone)
    LLCUDA_RETURN_IF_ERROR(leaveRow(std::exchange(request.row, kNone)));
  if (request.slot != kNone) {
    session.truncate(request.slot, 0);
    freeSlots.push_back(std::exchange(request.slot, kNone));
  }
  for (auto* list : {&waiting, &paused, &prompts})
    std::erase_if(*list, [&](const Shared& other) { return other.get() == &request; });
  return {};
}

/// The last row moves into the hole.
Result<void> EngineLoop::leaveRow(uint32_t row) {
  const auto last = static_cast<uint32_t>(rows.size() - 1);
  if (row == last) {
    LLCUDA_RETURN_IF_ERROR(session.leave(row));
  } else {
    LLCUDA_RETURN_IF_ERROR(session.move(last, row));
    rows[row] = rows[last];
    rows[row]->row = row;
  }
  rows.pop_back();
  return {};
}

// -------------------------------------------------------------------------------------------------------- what runs

StepPlan EngineLoop::plan() {
  const auto& groups = session.slots().groups();
  std::vector<RowState> rowStates;
  std::vector<PromptState> promptStates;
  PageCounts free;
  for (std::size_t group = 0; group < groups.size(); ++group) {
    const uint32_t count = groups[group].table.pool().freeCount(), taken = promised(group);
    free.push_back(count - std::min(count, taken));
  }
  for (const Shared& request : rows) {
    RowState state = {standingOf(*request), session.rows()[request->row].position, {}, {}};
    for (const SlotState::Group& group : groups) {
      state.missing.push_back(group.table.missing(request->slot, state.position, state.position + 1));
      state.held.push_back(group.table.heldBy(request->slot, session.context()).count());
    }
    rowStates.push_back(std::move(state));
  }
  for (const Shared& request : prompts) {
    PromptState state = {standingOf(*request), request->computed, request->length() - request->computed, {}};
    for (const SlotState::Group& group : groups) state.held.push_back(group.table.mostPages(request->length()));
    promptStates.push_back(std::move(state));
  }
  return planStep({rowStates, promptStates, std::move(free)}, session.promptShapes(), costs, options.planner);
}

Result<void> EngineLoop::queueRun(const PromptRun& run, const std::vector<Shared>& planned) {
  std::vector<PromptPart> parts;
  std::vector<SamplingParams> sampling(run.pieces.size());
  Output output = {stepNumber, {}};
  bool wantLogits = false;
  for (std::size_t i = 0; i < run.pieces.size(); ++i) {
    const PromptPiece& piece = run.pieces[i];
    const Shared& request = planned[piece.prompt];
    PromptPart part = {request->slot, request->computed,
                       std::span(request->tokens).subspan(request->computed, piece.tokens), nullptr};
    if (request->computed + piece.tokens == request->length()) {
      sampling[i] = request->options.sampling;
      sampling[i].step = request->length() - 1;
      part.sampling = &sampling[i];
      output.owners.push_back(request);
      wantLogits |= request->options.logprobs >= 0;
    }
    parts.push_back(part);
  }
  if (session.waiting() == OutputRing::kDepth)
    LLCUDA_RETURN_IF_ERROR(readOldest());
  LLCUDA_RETURN_IF_ERROR(session.runPrompts(run.phase, parts, wantLogits));
  ++phasesQueued;
  ++counted.promptRuns;
  for (std::size_t i = 0; i < run.pieces.size(); ++i) {
    const Shared& request = planned[run.pieces[i].prompt];
    request->computed += run.pieces[i].tokens;
    request->lastStep = Clock::now();
    counted.promptTokens += run.pieces[i].tokens;
    if (request->computed == request->length())
      continue;
    Event event;
    event.kind = EventKind::kProgress;
    event.computed = request->computed;
    event.total = request->length();
    emit(*request, std::move(event));
  }
  for (uint32_t i = 0; i < output.owners.size(); ++i) {
    const Shared& request = output.owners[i];
    ++request->queued;
    ++request->inFlight;
    std::erase(prompts, request);
    if (request->queued == request->limit) {
      LLCUDA_RETURN_IF_ERROR(release(*request));
      continue;
    }
    const DecodeRow row = {request->slot, 0, request->length(), request->options.sampling};
    request->row = static_cast<uint32_t>(rows.size());
    LLCUDA_RETURN_IF_ERROR(session.joinOutput(request->row, i, row));
    rows.push_back(request);
  }
  if (!output.owners.empty())
    outputs.push_back(std::move(output));
  return {};
}

Result<void> EngineLoop::queueDecode() {
  if (session.waiting() == OutputRing::kDepth)
    LLCUDA_RETURN_IF_ERROR(readOldest());
  if (rows.empty())
    return {};
  bool wantLogits = false;
  for (const Shared& request : rows) {
    wantLogits |= request->options.logprobs >= 0;
    ++request->queued;
    ++request->inFlight;
  }
  LLCUDA_RETURN_IF_ERROR(session.queueStep(wantLogits));
  ++phasesQueued;
  counted.rows += rows.size();
  outputs.push_back({stepNumber, rows});
  return {};
}

Result<void> EngineLoop::step() {
  LLCUDA_RETURN_IF_ERROR(dismiss());
  LLCUDA_RETURN_IF_ERROR(admit());
  const uint64_t before = phasesQueued;
  const std::vector<Shared> planned = prompts, decoding = rows;
  const StepPlan next = plan();
  for (const uint32_t prompt : next.pausedPrompts) LLCUDA_RETURN_IF_ERROR(pause(planned[prompt]));
  for (const uint32_t row : next.pausedRows) LLCUDA_RETURN_IF_ERROR(pause(decoding[row]));
  ++stepNumber;
  for (const PromptRun& run : next.runs) LLCUDA_RETURN_IF_ERROR(queueRun(run, planned));
  LLCUDA_RETURN_IF_ERROR(queueDecode());
  if (phasesQueued == before) {
    LLCUDA_RETURN_IF_ERROR(readUpTo(stepNumber));
  } else {
    ++counted.steps;
    LLCUDA_RETURN_IF_ERROR(session.endStep());
    LLCUDA_RETURN_IF_ERROR(readUpTo(stepNumber - 1));
  }
  for (std::size_t i = retired.size(); i-- > 0;) {
    LLCUDA_ASSIGN_OR_RETURN(const bool idle, retired[i].isIdle());
    if (idle)
      retired.erase(retired.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return readClock();
}

// ------------------------------------------------------------------------------------------------- what came of it

Result<void> EngineLoop::readUpTo(uint64_t step) {
  while (!outputs.empty() && outputs.front().step <= step) LLCUDA_RETURN_IF_ERROR(readOldest());
  return {};
}

Result<void> EngineLoop::readOldest() {
  LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, session.take());
  const Output read = std::move(outputs.front());
  outputs.pop_front();
  const std::size_t vocabulary = output.logits.size() / output.sampled.size();
  for (std::size_t i = 0; i < read.owners.size(); ++i)
    LLCUDA_RETURN_IF_ERROR(
        onToken(read.owners[i], output.sampled[i], output.logits.subspan(i * vocabulary, vocabulary)));
  return {};
}

Result<void> EngineLoop::onToken(const Shared& request, int32_t token, std::span<const float> logits) {
  --request->inFlight;
  if (request->hasEnded)
    return {};
  if (token < 0)
    return fail(*request, badInput("the logits after token ", request->length() - 1,
                                   " are no numbers: a weight is none, or values grow beyond what the engine's types "
                                   "hold"));
  Event event;
  event.kind = EventKind::kToken;
  event.token = token;
  event.index = request->metrics.generatedTokens++;
  if (event.index == 0)
    request->metrics.firstTokenNs = nanosecondsSince(request->arrival);
  event.stops = !request->options.ignoreStop && text.config && text.config->endsGeneration(token);
  if (request->options.logprobs >= 0) {
    const Result<LogProbabilities> probabilities = LogProbabilities::of(logits);
    if (!probabilities)
      return fail(*request, badInput(probabilities.error().message));
    event.logProbability = (*probabilities)[token];
    event.top = probabilities->top(static_cast<uint32_t>(request->options.logprobs));
  }
  request->tokens.push_back(token);
  ++counted.generatedTokens;
  const bool stops = event.stops;
  if (!stops)
    event.text = request->answer.push(token);
  emit(*request, std::move(event));
  if (stops)
    return finish(*request, StopReason::kToken);
  if (request->answer.found())
    return finish(*request, StopReason::kString);
  if (request->metrics.generatedTokens == request->limit)
    return finish(*request, request->limitReason);
  return {};
}

Result<void> EngineLoop::finish(Request& request, StopReason reason) {
  Event rest;
  rest.kind = EventKind::kToken;
  rest.index = request.metrics.generatedTokens;
  rest.text = request.answer.finish();
  if (!rest.text.empty())
    emit(request, std::move(rest));
  Event event;
  event.kind = EventKind::kDone;
  event.stop = reason;
  if (const std::optional<uint32_t> found = request.answer.found()) {
    event.stop = StopReason::kString;
    event.stopString = static_cast<int32_t>(*found);
  }
  ++counted.done;
  LLCUDA_RETURN_IF_ERROR(release(request));
  noteEnd(request, event);
  return {};
}

Result<void> EngineLoop::fail(Request& request, const Error& error) {
  Event event;
  event.kind = EventKind::kFailed;
  event.error = error;
  counted.failed += error.code != ErrorCode::kCancelled;
  LLCUDA_RETURN_IF_ERROR(release(request));
  noteEnd(request, event);
  return {};
}

void EngineLoop::noteEnd(Request& request, Event& event) {
  request.hasEnded = true;
  request.metrics.totalNs = nanosecondsSince(request.arrival);
  if (request.saved) {
    hostBytes -= request.saved->bytes();
    retired.push_back(*std::exchange(request.saved, std::nullopt));
  }
  event.metrics = request.metrics;
  emit(request, std::move(event));
  const uint64_t id = request.id;
  requests.erase(id);
}

void EngineLoop::failAll(const Error& error) {
  outputs.clear();
  rows.clear();
  while (!requests.empty()) {
    const Shared request = requests.begin()->second;
    Event event;
    event.kind = EventKind::kFailed;
    event.error = error;
    ++counted.failed;
    noteEnd(*request, event);
  }
  for (auto* list : {&waiting, &paused, &prompts}) list->clear();
}

void EngineLoop::emit(Request& request, Event event) {
  event.request = request.id;
  event.user = request.options.user;
  events.push(std::move(event));
}

void EngineLoop::noteSleep() {
  if (afterSleep.empty() || afterSleep.back() != phasesQueued)
    afterSleep.push_back(phasesQueued);
}

Result<void> EngineLoop::readClock() {
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<PhaseTime> times, clock.take());
  for (const PhaseTime& time : times) {
    costs.follow(time);
    counted.busyNs += static_cast<uint64_t>(time.nanoseconds);
    if (!afterSleep.empty() && afterSleep.front() == phasesTimed)
      afterSleep.pop_front();
    else
      counted.idleNs += static_cast<uint64_t>(std::max(time.idle, 0.));
    ++phasesTimed;
  }
  return {};
}

Stats EngineLoop::stats() const {
  Stats stats = counted;
  stats.waiting = static_cast<uint32_t>(waiting.size());
  stats.prompts = static_cast<uint32_t>(prompts.size());
  stats.generating = static_cast<uint32_t>(requests.size() - waiting.size() - prompts.size() - paused.size());
  stats.paused = static_cast<uint32_t>(paused.size());
  stats.hostBytes = hostBytes;
  for (const SlotState::Group& group : session.slots().groups()) {
    stats.pages += group.table.shape().poolPages;
    stats.freePages += group.table.pool().freeCount();
  }
  return stats;
}

} // namespace llcuda::serving
