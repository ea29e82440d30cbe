// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/engine_loop.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "runtime/serving/loop_request.h"

namespace llcuda::serving {
namespace {

using Clock = std::chrono::steady_clock;
constexpr uint32_t kNone = UINT32_MAX;
/// A mask is late a trunk's time after the last results, but not sooner than this.
constexpr std::chrono::duration<double, std::milli> kLeastPatience{2};
/// How long nothing is looked after while all rows wait for masks.
constexpr std::chrono::milliseconds kIdleWait{2};

uint64_t nanosecondsSince(Clock::time_point start) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
}

/// Among the candidates that the stages of a sampler left.
ScoredToken leftAfterStages(const SamplingReport& report, uint32_t count) {
  ScoredToken scored{std::log(report.probability), {}};
  for (uint32_t rank = 0; rank < std::min(count, report.count); ++rank)
    scored.top.push_back({report.top[rank].token, std::log(report.top[rank].probability)});
  return scored;
}

/// How likely the token of an output was, by what RequestOptions::addReads() asked for.
Result<ScoredToken> scoredToken(const RequestOptions& options, const StepOutput& output, uint32_t index) {
  const auto count = static_cast<uint32_t>(options.logprobs);
  if (options.postSampling)
    return leftAfterStages(output.reports[index], count);
  if (options.logprobs <= kTopTokens)
    return ScoredToken::of(output.scores[index], count);
  const std::size_t vocabulary = output.logits.size() / output.sampled.size();
  return ScoredToken::of(output.logits.subspan(index * vocabulary, vocabulary), output.sampled[index], count);
}

/// One token is allowed.
std::vector<uint32_t> maskOf(int32_t token, uint32_t vocabulary) {
  std::vector<uint32_t> words(static_cast<std::size_t>(tokenBitWords(static_cast<int>(vocabulary))), 0);
  words[static_cast<uint32_t>(token) / 32] |= 1u << static_cast<uint32_t>(token) % 32;
  return words;
}

} // namespace

static_assert(static_cast<int>(Pooling::kMean) == static_cast<int>(fb::Pooling::mean) &&
              static_cast<int>(Pooling::kLast) == static_cast<int>(fb::Pooling::last) &&
              static_cast<int>(Pooling::kCls) == static_cast<int>(fb::Pooling::cls) &&
              fb::Pooling::MAX == fb::Pooling::cls);

EngineLoop::EngineLoop(Session& session, PhaseClock& clock, TextRules text, LoopOptions options, EventQueue& events)
    : session(session), clock(clock), text(text), options(options), events(events), costs(session),
      cache(session, options.hostCacheBytes), masks(session.program().engine().model().vocabulary(), options.masks) {
  for (uint32_t slot = session.memoryPlan().slots; slot-- > 0;) freeSlots.push_back(slot);
}

EngineLoop::~EngineLoop() {
  // Copies may be on their way into host memory; what a broken device answers changes nothing.
  (void)session.synchronize();
}

// --------------------------------------------------------------------------------------------------------- who runs

Result<void> EngineLoop::submit(uint64_t id, RequestOptions given, Clock::time_point arrival) {
  if (given.grammar) // masks are of chains
    given.sampling.chain = 1;
  auto request = std::make_shared<Request>(id, std::move(given), text.tokenizer, arrival, nextArrival++,
                                           session.context(), session.program().engine().model());
  if (request->options.grammar && request->limit != 0)
    request->constraint =
        std::make_unique<Constraint>(masks, request->options.grammar, request->options.triggers, *text.tokenizer);
  if (request->options.reasoning && request->limit != 0)
    request->reasoning.emplace(*request->options.reasoning, *text.tokenizer);
  request->prefix.isUsed =
      options.prefixCache && request->options.prefixCache && !request->options.readsPrompt() && cache.isPossible();
  request->prefix.salt = request->options.cacheSalt;
  const fb::Engine& engine = session.program().engine().metadata();
  if (engine.batch_invariant()) // pages of decode steps have other bits
    request->prefix.mostPages = request->promptEnd() / engine.page_tokens();
  // Who asks the same again computes a token at least.
  request->prefix.anchors.insert((request->length() - 1) / engine.page_tokens());
  if (options.fair)
    shares.join(request->options.fairKey);
  requests.emplace(id, request);
  if (request->promptEnd() == 0)
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

Result<void> EngineLoop::hold(uint64_t id, bool isHeld) {
  const auto found = requests.find(id);
  if (found == requests.end() || found->second->isHeld == isHeld)
    return {};
  const Shared& request = found->second;
  request->isHeld = isHeld;
  stalled = false;
  if (!isHeld || request->row == kNone)
    return {};
  request->computed = session.rows()[request->row].position;
  held.push_back(request);
  return leaveRow(std::exchange(request->row, kNone));
}

Standing EngineLoop::standingOf(const Request& request) const {
  const double waited = static_cast<double>(nanosecondsSince(request.lastStep)) / 1e6;
  return {request.options.priority, request.number, request.slot == kNone || request.row == kNone ? waited : 0,
          request.turn};
}

/// Positions that are computed up to its second token: the first one goes into the decode step of the prompt's last
/// run.
uint32_t EngineLoop::positionsToStart(const Request& request) const {
  return std::min(request.length() + 1, session.context());
}

/// Pages that prompts with a slot will take and have not.
uint32_t EngineLoop::promised(std::size_t group) const {
  const PageTable& table = session.slots().groups()[group].table;
  uint32_t pages = 0;
  for (const Shared& request : prompts) {
    const uint32_t most = table.mostPages(positionsToStart(*request));
    pages += most - std::min(most, table.heldBy(request->slot, session.context()).count());
  }
  return pages;
}

/// Whether it can be computed up to its first token, and every other one go on for a page.
bool EngineLoop::hasPagesFor(const Request& request, const PrefixTree::Hit& hit) const {
  const uint32_t end = positionsToStart(request);
  for (std::size_t group = 0; group < session.slots().groups().size(); ++group) {
    const PageTable& table = session.slots().groups()[group].table;
    uint64_t wanted = table.mostPages(end) + promised(group);
    if (table.shape().window == 0) // of a window others give their pages up while it still needs as many
      wanted -= hit.usedPages;
    for (const auto* list : {&prompts, &rows})
      for (const Shared& other : *list)
        wanted += table.heldBy(other->slot, session.context()).count() < table.shape().slotPages;
    if (wanted > table.pool().availableCount() && !(prompts.empty() && rows.empty() && held.empty()))
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

/// Who was held longest makes room: it goes to host memory. False when nobody is held.
Result<bool> EngineLoop::pauseHeld() {
  if (held.empty())
    return false;
  const Shared request = held.front();
  LLCUDA_RETURN_IF_ERROR(pause(request));
  return true;
}

void EngineLoop::takeTurns(std::span<const Shared> candidates) {
  std::vector<FairShares::Waiting> waiting;
  for (const Shared& request : candidates)
    waiting.push_back({&request->options.fairKey, request->hasStarted ? 0 : request->length()});
  const std::vector<uint64_t> rounds = shares.rounds(waiting);
  for (std::size_t i = 0; i < rounds.size(); ++i) candidates[i]->turn = rounds[i];
}

Result<void> EngineLoop::admit() {
  for (const Shared& request : std::vector<Shared>(held))
    if (!request->isHeld && request->inFlight == 0) {
      std::erase(held, request);
      LLCUDA_RETURN_IF_ERROR(joinRow(request));
    }
  if (freeSlots.empty() && held.empty())
    return {};
  std::vector<Shared> order = paused;
  order.insert(order.end(), waiting.begin(), waiting.end());
  std::erase_if(order, [](const Shared& request) { return request->isHeld; });
  const auto sort = [&] {
    std::vector<std::pair<Standing, Shared>> candidates;
    for (Shared& request : order) candidates.emplace_back(standingOf(*request), std::move(request));
    std::ranges::sort(candidates,
                      [&](const auto& a, const auto& b) { return a.first.precedes(b.first, options.planner.aging); });
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = std::move(candidates[i].second);
  };
  if (options.fair) { // each key's own in their order; then all by their rounds
    for (const Shared& request : order) request->turn = 0;
    sort();
    takeTurns(order);
  }
  sort();
  // Who does not fit is not overtaken: he would never fit. Who waits for what somebody computes is.
  for (const Shared& request : order) {
    if (request->inFlight != 0)
      break; // it was paused in this very step
    Start start = Start::kNoRoom;
    for (bool hasMore = true; start == Start::kNoRoom && hasMore;) {
      LLCUDA_ASSIGN_OR_RETURN(start, tryStart(request));
      if (start == Start::kNoRoom) {
        LLCUDA_ASSIGN_OR_RETURN(hasMore, pauseHeld());
      }
    }
    if (start == Start::kNoRoom)
      break;
  }
  return {};
}

/// Those that are held do not keep rows from going on.
Result<void> EngineLoop::makeRoomForRows() {
  const auto fits = [&] {
    for (std::size_t group = 0; group < session.slots().groups().size(); ++group) {
      const PageTable& table = session.slots().groups()[group].table;
      uint64_t wanted = promised(group);
      for (const Shared& request : rows) {
        const uint32_t position = session.rows()[request->row].position;
        wanted += table.needed(request->slot, position, position + 1);
      }
      if (wanted > table.pool().availableCount())
        return false;
    }
    return true;
  };
  while (!held.empty() && !fits()) LLCUDA_RETURN_IF_ERROR(pauseHeld());
  return {};
}

/// Whether somebody is about to compute what the request can begin with. Not when its priority or its turn is before
/// his: it would wait for those between them.
bool EngineLoop::waitsFor(const Request& request, const PrefixTree::Hit& hit) {
  const auto found = requests.find(hit.computedBy);
  if (hit.computedPages <= hit.nodes.size() || found == requests.end())
    return false;
  Request& other = *found->second;
  if (request.options.priority != other.options.priority ? request.options.priority > other.options.priority
                                                         : request.turn < other.turn)
    return false;
  other.prefix.anchors.insert(hit.computedPages);
  return true;
}

Result<EngineLoop::Start> EngineLoop::tryStart(const Shared& request) {
  PrefixTree::Hit hit;
  if (!request->saved)
    hit = cache.find(request->prefix, std::span(request->tokens).first(request->length() - 1));
  if (waitsFor(*request, hit))
    return Start::kLater;
  if (freeSlots.empty() || !hasPagesFor(*request, hit))
    return Start::kNoRoom;
  std::erase(waiting, request);
  std::erase(paused, request);
  request->slot = freeSlots.back();
  freeSlots.pop_back();
  LLCUDA_RETURN_IF_ERROR(begin(request, hit));
  if (options.fair && !request->hasStarted) // nobody pays for making room
    shares.charge(request->options.fairKey, request->length() - request->computed);
  if (!request->hasStarted) {
    request->hasStarted = true;
    request->metrics.waitNs = nanosecondsSince(request->arrival);
    request->metrics.cachedTokens = request->computed;
    counted.cachedTokens += request->computed;
    Event event;
    event.kind = EventKind::kStarted;
    event.seed = request->options.sampling.seed;
    event.cachedTokens = request->computed;
    emit(*request, std::move(event));
  }
  if (request->options.sampling.chain != 0)
    LLCUDA_RETURN_IF_ERROR(
        session.startSampling(request->slot, request->options.sampler, request->tokens, request->samplerState));
  const bool hasBegun = request->queued != 0 && request->computed != 0;
  if (request->computed + 1 == request->length() && (hasBegun || request->needsMask()))
    LLCUDA_RETURN_IF_ERROR(joinRow(request));
  else
    prompts.push_back(request);
  return Start::kStarted;
}

/// What the cache or host memory has of it comes into its slot.
Result<void> EngineLoop::begin(const Shared& request, const PrefixTree::Hit& hit) {
  if (!request->saved) {
    LLCUDA_ASSIGN_OR_RETURN(request->computed,
                            cache.begin(request->prefix, hit, request->slot, request->tokens, request->id));
    return {};
  }
  request->computed = request->saved->positions();
  LLCUDA_RETURN_IF_ERROR(cache.makeRoomFor(*request->saved));
  LLCUDA_RETURN_IF_ERROR(session.copyIn(request->slot, *request->saved));
  hostBytes -= request->saved->bytes();
  request->saved.reset();
  return cache.comeBack(request->prefix, request->slot, request->tokens, request->computed);
}

/// Its newest token is known, and what stands before it is in its slot.
Result<void> EngineLoop::joinRow(const Shared& request) {
  const DecodeRow row = {request->slot, request->tokens.back(), request->computed, request->options.sampling};
  request->row = static_cast<uint32_t>(rows.size());
  LLCUDA_RETURN_IF_ERROR(session.join(request->row, row));
  rows.push_back(request);
  return {};
}

Result<void> EngineLoop::pause(const Shared& request) {
  ++counted.pauses;
  ++request->metrics.pauses;
  if (request->row != kNone)
    request->computed = session.rows()[request->row].position;
  if (request->computed != 0) {
    LLCUDA_ASSIGN_OR_RETURN(auto copy, cache.copyOut(request->slot, request->computed));
    if (copy) {
      hostBytes += copy->bytes();
      request->saved.emplace(std::move(*copy));
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
  if (request.row != kNone && tailIsDue) {
    leaving.push_back(requests.at(request.id));
    return {};
  }
  if (request.row != kNone)
    LLCUDA_RETURN_IF_ERROR(leaveRow(std::exchange(request.row, kNone)));
  if (options.draft)
    options.draft->leave(request.id);
  if (request.slot != kNone) {
    cache.leave(request.prefix, request.slot);
    session.truncate(request.slot, 0);
    freeSlots.push_back(std::exchange(request.slot, kNone));
  }
  for (auto* list : {&waiting, &paused, &prompts, &held})
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

/// What nobody else uses of its pages, and what a prompt was promised.
PageCounts EngineLoop::pagesOfPausing(const Request& request, bool isPrompt) const {
  PageCounts counts;
  for (const SlotState::Group& group : session.slots().groups()) {
    counts.push_back(group.table.usedAlone(request.slot));
    const uint32_t has = group.table.heldBy(request.slot, session.context()).count();
    const uint32_t most = group.table.mostPages(positionsToStart(request));
    counts.back() += isPrompt ? most - std::min(most, has) : 0;
  }
  return counts;
}

StepPlan EngineLoop::plan() {
  const auto& groups = session.slots().groups();
  std::vector<RowState> rowStates;
  std::vector<PromptState> promptStates;
  PageCounts free, wanted(groups.size());
  for (std::size_t group = 0; group < groups.size(); ++group) {
    const uint32_t count = groups[group].table.pool().availableCount(), taken = promised(group);
    free.push_back(count - std::min(count, taken));
  }
  for (const Shared& request : rows) {
    RowState state = {standingOf(*request), session.rows()[request->row].position, {}, {}};
    for (std::size_t group = 0; group < groups.size(); ++group) {
      const PageTable& table = groups[group].table;
      state.missing.push_back(table.needed(request->slot, state.position, state.position + 1));
      wanted[group] += state.missing.back();
    }
    rowStates.push_back(std::move(state));
  }
  for (const Shared& request : prompts) {
    PromptState state = {standingOf(*request), request->computed, request->promptEnd() - request->computed, {}};
    state.samples = request->limit != 0 && !request->needsMask();
    state.scored = request->report.scores();
    state.pooled = request->report.pools();
    promptStates.push_back(std::move(state));
  }
  bool isShort = false; // else nobody is paused
  for (std::size_t group = 0; group < groups.size(); ++group) isShort |= wanted[group] > free[group];
  for (std::size_t i = 0; i < rows.size(); ++i)
    rowStates[i].held = isShort ? pagesOfPausing(*rows[i], false) : PageCounts(groups.size());
  for (std::size_t i = 0; i < prompts.size(); ++i)
    promptStates[i].held = isShort ? pagesOfPausing(*prompts[i], true) : PageCounts(groups.size());
  return planStep({rowStates, promptStates, std::move(free)}, session.promptShapes(), costs, options.planner);
}

Result<void> EngineLoop::queueRun(PromptRun run, const std::vector<Shared>& planned) {
  if (session.waiting() == OutputRing::kDepth)
    LLCUDA_RETURN_IF_ERROR(readOldest());
  // What was read, here or before an earlier run of the step, may have ended a request in the middle of its prompt.
  std::erase_if(run.pieces, [&](const PromptPiece& piece) { return planned[piece.prompt]->hasEnded; });
  if (run.pieces.empty())
    return {};
  std::vector<PromptPart> parts;
  std::vector<SamplingParams> sampling(run.pieces.size());
  std::vector<std::vector<int32_t>> scored(run.pieces.size());
  Output output = {stepNumber, {}, {}};
  StepReads reads;
  bool isRead = false;
  for (std::size_t i = 0; i < run.pieces.size(); ++i) {
    const PromptPiece& piece = run.pieces[i];
    const Shared& request = planned[piece.prompt];
    PromptPart part = {request->slot, request->computed,
                       std::span(request->tokens).subspan(request->computed, piece.tokens)};
    if (request->limit != 0 && request->computed + piece.tokens == request->length()) {
      sampling[i] = request->options.sampling;
      sampling[i].step = request->length() - 1;
      part.sampling = &sampling[i];
      output.owners.push_back(request);
      request->options.addReads(reads);
    }
    const uint32_t rowBlock = session.promptShapes()[run.phase].rowBlock;
    const PromptReading reading = request->report.ask(part, request->tokens, rowBlock, scored[i]);
    request->inFlight += !reading.isEmpty();
    isRead |= !reading.isEmpty();
    output.readings.emplace_back(request, reading);
    parts.push_back(part);
  }
  if (!isRead)
    output.readings.clear();
  std::vector<PrefixCache::Wanted> wanted;
  for (const PromptPart& part : parts)
    wanted.push_back({part.slot, part.first, part.first + static_cast<uint32_t>(part.tokens.size())});
  LLCUDA_RETURN_IF_ERROR(cache.makeRoom(wanted));
  LLCUDA_RETURN_IF_ERROR(session.runPrompts(run.phase, parts, reads));
  ++phasesQueued;
  ++counted.promptRuns;
  for (std::size_t i = 0; i < run.pieces.size(); ++i) {
    const Shared& request = planned[run.pieces[i].prompt];
    request->computed += run.pieces[i].tokens;
    request->lastStep = Clock::now();
    counted.promptTokens += run.pieces[i].tokens;
    cache.advance(request->prefix, request->slot, request->tokens, request->computed);
    if (request->computed == request->promptEnd()) {
      if (request->limit == 0) { // what is left of it is read
        LLCUDA_RETURN_IF_ERROR(release(*request));
      } else if (request->needsMask()) {
        std::erase(prompts, request);
        if (request->isHeld)
          held.push_back(request);
        else
          LLCUDA_RETURN_IF_ERROR(joinRow(request));
      }
      continue;
    }
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
    if (request->isHeld) {
      held.push_back(request);
      continue;
    }
    const DecodeRow row = {request->slot, 0, request->length(), request->options.sampling};
    request->row = static_cast<uint32_t>(rows.size());
    LLCUDA_RETURN_IF_ERROR(session.joinOutput(request->row, i, row));
    rows.push_back(request);
  }
  if (!output.owners.empty() || isRead)
    outputs.push_back(std::move(output));
  return {};
}

/// Rows that come to a page of their own get a free one.
Result<void> EngineLoop::freeRowPages() {
  const uint32_t pageTokens = session.program().engine().metadata().page_tokens();
  std::vector<PrefixCache::Wanted> wanted;
  for (const Shared& request : rows)
    if (const uint32_t position = session.rows()[request->row].position; position % pageTokens == 0)
      wanted.push_back({request->slot, position, position + 1});
  return cache.makeRoom(wanted);
}

Result<void> EngineLoop::queueDecode() {
  if (session.waiting() == OutputRing::kDepth)
    LLCUDA_RETURN_IF_ERROR(readOldest());
  LLCUDA_ASSIGN_OR_RETURN(const bool hasSpeculated, speculate());
  if (hasSpeculated || rows.empty())
    return {};
  LLCUDA_RETURN_IF_ERROR(freeRowPages());
  const bool isApart = hasConstrainedRows();
  std::vector<bool> late(rows.size());
  if (isApart) {
    LLCUDA_ASSIGN_OR_RETURN(const bool nobodyIsReady, allAreLate());
    if (nobodyIsReady)
      return {};
    LLCUDA_RETURN_IF_ERROR(session.queueTrunk());
    LLCUDA_RETURN_IF_ERROR(readBeforeTail());
    LLCUDA_ASSIGN_OR_RETURN(late, placeMasks());
  }
  StepReads reads;
  Output output = {stepNumber, rows, {}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (late[i]) {
      output.owners[i] = nullptr;
      continue;
    }
    rows[i]->options.addReads(reads);
    ++rows[i]->queued;
    ++rows[i]->inFlight;
  }
  allowTrials();
  LLCUDA_RETURN_IF_ERROR(isApart ? session.queueTail(reads) : session.queueStep(reads));
  phasesQueued += isApart ? 2 : 1;
  counted.rows += rows.size();
  outputs.push_back(std::move(output));
  tailIsDue = false;
  for (const Shared& request : std::exchange(leaving, {})) LLCUDA_RETURN_IF_ERROR(release(*request));
  return {};
}

// Rows with a grammar, also those whose trigger has not come: the token that ends it is read before the next is
// sampled.

bool EngineLoop::hasConstrainedRows() const {
  return std::ranges::any_of(rows, [](const Shared& request) { return request->isReadFirst(); });
}

/// Whether every row waits for its mask, also after a while: a step would be for nobody.
Result<bool> EngineLoop::allAreLate() {
  std::vector<std::shared_ptr<MaskJob>> jobs;
  for (const Shared& request : rows) {
    if (!request->isMasked() || request->inFlight != 0 || request->constraint->job()->isReady())
      return false;
    jobs.push_back(request->constraint->job());
  }
  masks.wait(jobs, true, Clock::now() + kIdleWait);
  return std::ranges::none_of(jobs, [](const auto& job) { return job->isReady(); });
}

/// All that was sampled. Requests that end stay where they are until the tail is queued.
Result<void> EngineLoop::readBeforeTail() {
  tailIsDue = true;
  while (!outputs.empty()) LLCUDA_RETURN_IF_ERROR(readOldest());
  return {};
}

/// Of a step of all rows.
StepRows EngineLoop::stepOfRows() const {
  const auto count = static_cast<uint32_t>(rows.size());
  StepRows step = {.rows = count, .sequences = count};
  for (const Shared& request : rows) step.positions += session.rows()[request->row].position + 1;
  return step;
}

/// Masks that are there within a trunk's time go to the device; which rows are held since theirs are not.
Result<std::vector<bool>> EngineLoop::placeMasks() {
  std::vector<std::shared_ptr<MaskJob>> jobs;
  for (const Shared& request : rows) // who was late before is not waited for again
    if (request->isMasked() && !request->hasEnded && !session.rows()[request->row].isHeld)
      jobs.push_back(request->constraint->job());
  const auto patience = std::max(kLeastPatience, std::chrono::duration<double, std::milli>(costs.decode(stepOfRows())));
  masks.wait(jobs, false, Clock::now() + std::chrono::duration_cast<Clock::duration>(patience));
  std::vector<bool> late(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Shared request = rows[i];
    if (const std::optional<int32_t> token = request->forced(); token && !request->hasEnded)
      LLCUDA_RETURN_IF_ERROR(
          session.writeMask(request->slot, maskOf(*token, session.program().engine().model().vocabulary())));
    if (!request->isMasked() || request->hasEnded)
      continue;
    const MaskJob& job = *request->constraint->job();
    late[i] = !job.isReady();
    if (late[i]) {
      ++counted.heldRows;
    } else if (job.error()) {
      LLCUDA_RETURN_IF_ERROR(fail(*request, *job.error()));
    } else if (job.isStopped() && std::ranges::all_of(job.mask(), [](uint32_t word) { return word == 0; })) {
      LLCUDA_RETURN_IF_ERROR(finish(*request, StopReason::kToken)); // no token stops
    } else {
      LLCUDA_RETURN_IF_ERROR(session.writeMask(request->slot, job.mask()));
    }
    if (session.rows()[request->row].isHeld != late[i])
      LLCUDA_RETURN_IF_ERROR(session.hold(request->row, late[i]));
  }
  return late;
}

Result<void> EngineLoop::step() {
  LLCUDA_RETURN_IF_ERROR(dismiss());
  LLCUDA_RETURN_IF_ERROR(admit());
  LLCUDA_RETURN_IF_ERROR(makeRoomForRows());
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
  stalled = phasesQueued == before && prompts.empty() && rows.empty() && outputs.empty() &&
            std::ranges::all_of(requests, [](const auto& entry) { return entry.second->isHeld; });
  return readClock();
}

// ------------------------------------------------------------------------------------------------- what came of it

Result<void> EngineLoop::readUpTo(uint64_t step) {
  while (!outputs.empty() && outputs.front().step <= step) LLCUDA_RETURN_IF_ERROR(readOldest());
  return {};
}

Result<StepOutput> EngineLoop::takeOutput() {
  Result<StepOutput> output = session.take();
  lastRead = Clock::now();
  return output;
}

Result<void> EngineLoop::readOldest() {
  LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, takeOutput());
  const Output read = std::move(outputs.front());
  outputs.pop_front();
  LLCUDA_RETURN_IF_ERROR(readPrompts(read, output));
  for (uint32_t i = 0; i < read.owners.size(); ++i)
    if (read.owners[i]) // a row that was held has no owner
      LLCUDA_RETURN_IF_ERROR(onToken(read.owners[i], output, i));
  return {};
}

Result<void> EngineLoop::readPrompts(const Output& read, const StepOutput& output) {
  const std::size_t embedding = session.program().engine().model().embedding();
  std::size_t score = 0, sum = 0;
  for (const auto& [request, reading] : read.readings) {
    const auto scores = output.promptScores.subspan(score, reading.scores);
    const auto sums = reading.pools ? output.pooled.subspan(sum, reading.blocks * embedding) : std::span<const float>();
    score += reading.scores;
    sum += reading.blocks * embedding;
    if (!reading.isEmpty())
      LLCUDA_RETURN_IF_ERROR(onPrompt(request, reading, scores, sums));
  }
  return {};
}

Result<void> EngineLoop::onPrompt(const Shared& request, const PromptReading& reading,
                                  std::span<const TokenScore> scores, std::span<const float> sums) {
  --request->inFlight;
  if (request->hasEnded)
    return {};
  for (uint32_t i = 0; i < scores.size(); ++i) {
    Result<ScoredToken> scored = ScoredToken::of(scores[i], static_cast<uint32_t>(request->options.promptLogprobs));
    if (!scored)
      return fail(*request, badInput(scored.error().message));
    Event event;
    event.kind = EventKind::kPromptToken;
    event.index = reading.firstToken + i;
    event.token = request->tokens[event.index];
    event.logProbability = scored->logProbability;
    event.top = std::move(scored->top);
    emit(*request, std::move(event));
  }
  if (reading.pools)
    request->report.addSums(sums, session.program().engine().model().embedding());
  if (!reading.last || request->limit != 0)
    return {};
  if (request->report.pools()) {
    Result<std::vector<float>> values = request->report.vector();
    if (!values)
      return fail(*request, values.error());
    Event event;
    event.kind = EventKind::kEmbedding;
    event.values = std::move(*values);
    emit(*request, std::move(event));
  }
  return finish(*request, StopReason::kLength);
}

Result<void> EngineLoop::onToken(const Shared& request, const StepOutput& output, uint32_t index) {
  const int32_t token = output.sampled[index];
  --request->inFlight;
  if (request->hasEnded)
    return {};
  if (index < output.reports.size() && token >= 0)
    std::ranges::copy(output.reports[index].state, request->samplerState.values);
  const bool isMasked = request->isMasked();
  if (token < 0 && isMasked && request->constraint->job()->isStopped())
    return finish(*request, StopReason::kToken); // a bias forbids the stop tokens
  if (token < 0 && request->forced())
    return fail(*request, badInput("the token that ends the reasoning may not come: a bias forbids it"));
  counted.nanRows += token < 0;
  if (token < 0)
    cache.distrust(request->prefix, request->tokens);
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
  event.stops = (isMasked || !request->options.ignoreStop) && text.config && text.config->endsGeneration(token);
  if (request->options.logprobs >= 0) {
    Result<ScoredToken> scored = scoredToken(request->options, output, index);
    if (!scored)
      return fail(*request, badInput(scored.error().message));
    event.logProbability = scored->logProbability;
    event.top = std::move(scored->top);
  }
  request->tokens.push_back(token);
  ++counted.generatedTokens;
  if (options.fair)
    shares.charge(request->options.fairKey, 1);
  if (request->slot != kNone) // all but the newest are computed
    cache.advance(request->prefix, request->slot, request->tokens, request->length() - 1);
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
  const bool wasForced = request->forced().has_value();
  if (request->constraint)
    request->constraint->push(token);
  if (request->reasoning)
    request->reasoning->push(token);
  if (wasForced && !request->forced() && request->slot != kNone) // before the tail that samples the next one
    return session.clearMask(request->slot);
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
  if (request.saved)
    hostBytes -= request.saved->bytes();
  request.saved.reset();
  if (options.fair)
    shares.leave(request.options.fairKey);
  event.metrics = request.metrics;
  ended.push_back(of(request, std::move(event)));
  const uint64_t id = request.id;
  requests.erase(id);
}

void EngineLoop::failAll(const Error& error) {
  outputs.clear();
  rows.clear();
  leaving.clear();
  tailIsDue = false;
  while (!requests.empty()) {
    const Shared request = requests.begin()->second;
    Event event;
    event.kind = EventKind::kFailed;
    event.error = error;
    ++counted.failed;
    noteEnd(*request, event);
  }
  for (auto* list : {&waiting, &paused, &prompts, &held}) list->clear();
}

Event EngineLoop::of(const Request& request, Event event) {
  event.request = request.id;
  event.user = request.options.user;
  return event;
}

void EngineLoop::emit(const Request& request, Event event) {
  events.push(of(request, std::move(event)));
}

void EngineLoop::sayEnded() {
  for (Event& event : std::exchange(ended, {})) events.push(std::move(event));
}

void EngineLoop::noteSleep() {
  if (afterSleep.empty() || afterSleep.back() != phasesQueued)
    afterSleep.push_back(phasesQueued);
}

Result<void> EngineLoop::readClock() {
  if (options.draft)
    LLCUDA_RETURN_IF_ERROR(options.draft->readClock());
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<PhaseTime> times, clock.take());
  for (const PhaseTime& time : times) {
    counted.busyNs += static_cast<uint64_t>(time.nanoseconds);
    if (time.trunk)
      costs.follow(time);
    else
      counted.hostStallNs += static_cast<uint64_t>(std::max(time.idle, 0.));
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
  stats.maskNs = masks.workNs();
  stats.hostPages = cache.hostPages();
  if (options.draft) {
    stats.draftSteps = options.draft->steps();
    stats.draftNs = static_cast<uint64_t>(options.draft->spentMs() * 1e6);
  }
  for (const SlotState::Group& group : session.slots().groups()) {
    stats.pages += group.table.shape().poolPages;
    stats.freePages += group.table.pool().freeCount();
    stats.cachedPages += group.table.pool().idleCount();
  }
  return stats;
}

} // namespace llcuda::serving
