// SPDX-License-Identifier: Apache-2.0
// Decode steps in which rows have guesses behind them: rows of their slot at the next positions, which read what was
// guessed. Each is sampled as it would be in a step of its own, by the tokens before it and the noise of its position.
// So what the row before a guess samples is the text; while it is the guess, so is what the row behind samples.
#include <algorithm>
#include <cmath>
#include <utility>

#include "runtime/serving/loop_request.h"

namespace llcuda::serving {
namespace {

/// How much the newest measurement counts.
constexpr double kNewest = 1. / 8;
/// How many tokens an answer is taken to go on for at least, where nothing says that it ends before.
constexpr uint64_t kExpectedTokens = 128;
/// A draft model that does not pay is tried again in this share of the time, which is saved up for some steps.
constexpr double kTriedShare = 0.015, kSavedSteps = 64;
/// Guesses by which a request is remembered.
constexpr uint32_t kRemembered = 16;

} // namespace

Result<void> EngineLoop::measure() {
  if (options.draft)
    LLCUDA_RETURN_IF_ERROR(options.draft->measure());
  return measurePhases(session, clock, costs,
                       speculates() ? std::min(kAlikeRows, session.program().engine().metadata().max_batch()) : 0);
}

/// Queues and reads a step with guesses; false where none are worth it. Guesses are made of what was read: they say
/// whether it pays to wait for what is on its way.
Result<bool> EngineLoop::speculate() {
  if (!speculates())
    return false;
  LLCUDA_ASSIGN_OR_RETURN(Guesses guesses, planGuesses());
  if (!guesses.isEmpty() && !outputs.empty()) {
    while (!outputs.empty()) LLCUDA_RETURN_IF_ERROR(readOldest());
    LLCUDA_ASSIGN_OR_RETURN(guesses, planGuesses());
  }
  if (guesses.isEmpty())
    return false;
  LLCUDA_RETURN_IF_ERROR(askModel(guesses));
  std::vector<Draft> drafts = draftsOf(std::move(guesses));
  if (drafts.empty())
    return false;
  LLCUDA_RETURN_IF_ERROR(queueVerify(drafts));
  LLCUDA_RETURN_IF_ERROR(readVerified(drafts));
  return true;
}

/// Rows that a step may come to have, so that those that are there keep their bits.
uint32_t EngineLoop::mostRowsAlike() const {
  const auto count = static_cast<uint32_t>(rows.size());
  const uint32_t alike = count <= kAlikeRows ? kAlikeRows : session.decodePhase(count).rows();
  return std::min(alike, session.program().engine().metadata().max_batch());
}

/// Not where what a token teaches decides the next one, which rows of a step do not see of one another; nor where a
/// budget of reasoning may.
bool EngineLoop::isGuessed(const Request& request) const {
  if (request.reasoning)
    return false;
  return !request.options.sampler.learns() || request.options.sampling.chain == 0;
}

uint32_t EngineLoop::roomForGuesses(const Request& request) const {
  return static_cast<uint32_t>(std::min<uint64_t>(options.speculation.most, request.limit - request.queued - 1));
}

DraftGuess EngineLoop::guessByNgrams(Request& request) const {
  if (options.speculation.kind != Speculation::kNgram)
    return {};
  if (!request.drafter)
    request.drafter.emplace(options.speculation.ngram, 2 * request.length(), request.tokens);
  request.drafter->follow(request.tokens);
  return {request.drafter->guess(request.tokens, request.inFlight, roomForGuesses(request)), {}};
}

DraftPlan EngineLoop::planOf(std::span<const DraftState> states) const {
  uint64_t positions = 0;
  uint32_t asking = 0;
  for (const DraftState& state : states)
    if (state.asksModel)
      ++asking, positions += state.position + 1;
  return planDrafts(states,
                    {.rows = mostRowsAlike(),
                     .least = options.speculation.least,
                     .overheadMs = speculationMs,
                     .modelMs = asking == 0 ? 0 : options.draft->stepMs(asking, positions)},
                    speculationCosts());
}

/// Of each row what n-grams say or, where that is likelier to be right, as many guesses as the draft model may make.
Result<EngineLoop::Guesses> EngineLoop::planGuesses() {
  Guesses guesses;
  // Masks are made of tokens that were read.
  if (rows.empty() || rows.size() == mostRowsAlike() || hasConstrainedRows())
    return guesses;
  for (const Shared& request : rows) {
    DraftGuess known;
    DraftState state = {session.rows()[request->row].position, {}, false};
    if (isGuessed(*request)) {
      known = guessByNgrams(*request);
      state.chances = known.chances;
      if (options.draft && options.draft->behind(request->id, request->tokens)) {
        if (!request->drafted)
          request->drafted.emplace(options.draft->chance(), kRemembered);
        const double chance = request->drafted->value();
        const uint32_t room = std::min(roomForGuesses(*request), options.draft->roomBehind(state.position + 1));
        state.asksModel = room != 0 && (known.chances.empty() || known.chances.front() < chance);
        if (state.asksModel) {
          state.chances.resize(room);
          for (uint32_t i = 0; i < room; ++i) state.chances[i] = std::pow(chance, i + 1);
        }
      }
    }
    guesses.states.push_back(std::move(state));
    guesses.known.push_back(std::move(known));
  }
  guesses.plan = planOf(guesses.states);
  if (options.draft)
    LLCUDA_RETURN_IF_ERROR(letFollow(guesses));
  return guesses;
}

/// What the draft model has to read before it can be asked is queued, a run in a step, where that will pay; meanwhile
/// the row has what n-grams say. Where it does not pay it is tried now and then.
Result<void> EngineLoop::letFollow(Guesses& guesses) {
  DraftModel& draft = *options.draft;
  const double stepMs = speculationCosts().decode(stepOfRows());
  allowanceMs = std::min(allowanceMs, kSavedSteps * stepMs);
  bool isLate = false, hasRun = false;
  for (uint32_t row = 0; row < rows.size(); ++row) {
    DraftState& state = guesses.states[row];
    if (!state.asksModel)
      continue;
    const Request& request = *rows[row];
    const uint32_t behind = *draft.behind(request.id, request.tokens);
    const double readMs = draft.followMs(behind, request.length());
    const uint64_t left =
        std::min(request.limit - request.queued, std::max<uint64_t>(request.metrics.generatedTokens, kExpectedTokens));
    const double savedMs =
        static_cast<double>(left) * stepMs * (1 - 1 / guesses.plan.speedup) / static_cast<double>(rows.size());
    const bool pays = guesses.plan.counts[row] != 0 && savedMs >= readMs;
    const double trialMs = readMs + draft.stepMs(1, request.length()) + speculationMs;
    if (behind <= DraftModel::kReadsBeside) {
      if (!pays && guesses.isEmpty() && allowanceMs >= trialMs) {
        allowanceMs -= trialMs;
        guesses.plan.counts[row] = 1;
        guesses.tried = row;
      }
      continue;
    }
    if (!hasRun && (pays || (guesses.isEmpty() && allowanceMs >= trialMs))) {
      const double before = draft.spentMs();
      LLCUDA_ASSIGN_OR_RETURN(hasRun, draft.follow({request.id, request.tokens, &request.options, 0}, stepMs));
      if (!pays)
        allowanceMs -= draft.spentMs() - before;
    }
    state.asksModel = false;
    state.chances = guesses.known[row].chances;
    isLate = true;
  }
  if (isLate && !guesses.tried)
    guesses.plan = planOf(guesses.states);
  return {};
}

/// A step without guesses is queued.
void EngineLoop::allowTrials() {
  if (options.draft)
    allowanceMs += kTriedShare * speculationCosts().decode(stepOfRows());
}

/// The guesses of the rows that the plan wants the draft model's of.
Result<void> EngineLoop::askModel(Guesses& guesses) {
  std::vector<DraftRequest> requests;
  std::vector<uint32_t> asked;
  for (uint32_t row = 0; row < rows.size(); ++row)
    if (guesses.states[row].asksModel && guesses.plan.counts[row] != 0)
      asked.push_back(row);
  const auto count = static_cast<uint32_t>(rows.size());
  const uint32_t room = mostRowsAlike() - count;
  for (const uint32_t row : asked) {
    const auto share = static_cast<uint32_t>((room + asked.size() - 1) / asked.size());
    const uint32_t wanted = guesses.tried ? 1 : std::max(share, guesses.plan.counts[row]);
    requests.push_back({rows[row]->id, rows[row]->tokens, &rows[row]->options,
                        std::min(wanted, static_cast<uint32_t>(guesses.states[row].chances.size()))});
  }
  for (uint32_t row = 0; row < rows.size(); ++row) {
    if (guesses.states[row].asksModel)
      guesses.states[row].chances.clear();
    guesses.states[row].asksModel = false;
  }
  if (asked.empty())
    return {};
  uint64_t positions = 0;
  for (const DraftState& state : guesses.states) positions += state.position + 1;
  const double rowMs = (speculationCosts().decode({count + room, count + room, positions}) -
                        speculationCosts().decode({count, count, positions})) /
                       room;
  const auto start = std::chrono::steady_clock::now();
  LLCUDA_ASSIGN_OR_RETURN(const std::vector<DraftGuess> made,
                          options.draft->guess(requests, {guesses.plan.tokenMs, rowMs, options.speculation.leastSure}));
  lastRead += std::chrono::steady_clock::now() - start; // the device was not idle
  for (std::size_t i = 0; i < asked.size(); ++i) {
    Request& request = *rows[asked[i]];
    double before = 1;
    for (const double chance : made[i].chances) request.drafted->follow(chance / std::exchange(before, chance));
    guesses.states[asked[i]].chances = made[i].chances;
    guesses.known[asked[i]] = made[i];
  }
  return {};
}

/// Those that are worth their rows, now that they are known.
std::vector<EngineLoop::Draft> EngineLoop::draftsOf(Guesses guesses) {
  std::vector<uint32_t> counts = planOf(guesses.states).counts;
  if (guesses.tried && !guesses.known[*guesses.tried].tokens.empty())
    counts[*guesses.tried] = std::max(counts[*guesses.tried], 1u);
  std::vector<Draft> drafts;
  std::vector<uint64_t> free = pagesBesideRows();
  for (uint32_t row = 0; row < counts.size(); ++row) {
    DraftGuess& guess = guesses.known[row];
    guess.tokens.resize(counts[row]);
    guess.sure.resize(std::min<std::size_t>(guess.sure.size(), counts[row]));
    if (Draft draft = {row, std::move(guess.tokens), std::move(guess.sure)};
        counts[row] != 0 && takesPages(draft, free))
      drafts.push_back(std::move(draft));
  }
  return drafts;
}

/// Pages of each group that are there when all rows have theirs, and prompts what they were promised.
std::vector<uint64_t> EngineLoop::pagesBesideRows() const {
  std::vector<uint64_t> free;
  for (std::size_t group = 0; group < session.slots().groups().size(); ++group) {
    const PageTable& table = session.slots().groups()[group].table;
    uint64_t taken = promised(group);
    for (const Shared& request : rows) {
      const uint32_t position = session.rows()[request->row].position;
      taken += table.needed(request->slot, position, position + 1);
    }
    const uint64_t available = table.pool().availableCount();
    free.push_back(available - std::min(available, taken));
  }
  return free;
}

/// Whether its guesses find pages among those that are left, which they then take: nobody makes room for a guess.
bool EngineLoop::takesPages(const Draft& draft, std::vector<uint64_t>& free) const {
  const Request& request = *rows[draft.row];
  const uint32_t position = session.rows()[request.row].position;
  std::vector<uint64_t> left = free;
  for (std::size_t group = 0; group < free.size(); ++group) {
    const PageTable& table = session.slots().groups()[group].table;
    const uint32_t own = table.needed(request.slot, position, position + 1);
    const uint32_t all =
        table.needed(request.slot, position, position + 1 + static_cast<uint32_t>(draft.tokens.size()));
    const uint64_t more = all - std::min(all, own);
    if (more > free[group])
      return false;
    left[group] -= more;
  }
  free = std::move(left);
  return true;
}

Result<void> EngineLoop::queueVerify(std::vector<Draft>& drafts) {
  std::vector<PrefixCache::Wanted> wanted;
  StepReads reads;
  for (const Shared& request : rows) {
    const uint32_t position = session.rows()[request->row].position;
    wanted.push_back({request->slot, position, position + 1});
    request->options.addReads(reads);
  }
  for (const Draft& draft : drafts) wanted[draft.row].end += static_cast<uint32_t>(draft.tokens.size());
  LLCUDA_RETURN_IF_ERROR(cache.makeRoom(wanted));
  auto next = static_cast<uint32_t>(rows.size());
  for (Draft& draft : drafts) {
    const Request& request = *rows[draft.row];
    uint32_t position = session.rows()[request.row].position;
    if (request.options.sampling.chain != 0 && request.options.sampler.program.usesPast != 0) {
      std::vector<int32_t> past = {request.tokens.back()};
      past.insert(past.end(), draft.tokens.begin(), draft.tokens.end());
      LLCUDA_RETURN_IF_ERROR(session.writeHistory(request.slot, position, past));
    }
    draft.firstRow = next;
    for (const int32_t token : draft.tokens)
      LLCUDA_RETURN_IF_ERROR(session.join(next++, {request.slot, token, ++position, request.options.sampling}));
  }
  if (std::ranges::any_of(drafts, [](const Draft& draft) { return !draft.sure.empty(); }))
    noteSleep(); // the draft model had the device
  LLCUDA_RETURN_IF_ERROR(session.queueStep(reads));
  const double waited = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - lastRead).count();
  speculationMs = speculationMs == 0 ? waited : speculationMs + kNewest * (waited - speculationMs);
  ++phasesQueued;
  counted.rows += rows.size();
  return {};
}

/// Of each row the tokens up to the first that was guessed otherwise. The row that said it goes on; the others, and
/// pages behind its position, are nobody's.
Result<void> EngineLoop::readVerified(const std::vector<Draft>& drafts) {
  LLCUDA_ASSIGN_OR_RETURN(const StepOutput output, takeOutput());
  const std::vector<Shared> owners = rows;
  std::vector<std::vector<uint32_t>> said(owners.size()); // outputs
  for (uint32_t row = 0; row < owners.size(); ++row) said[row] = {row};
  for (const Draft& draft : drafts) {
    std::vector<uint32_t>& outputsOfRow = said[draft.row];
    const auto count = static_cast<uint32_t>(draft.tokens.size());
    for (uint32_t i = 0; i < count && output.sampled[outputsOfRow.back()] == draft.tokens[i]; ++i)
      outputsOfRow.push_back(draft.firstRow + i);
    for (uint32_t row = draft.firstRow; row < draft.firstRow + count; ++row)
      LLCUDA_RETURN_IF_ERROR(row == outputsOfRow.back() ? session.move(row, draft.row) : session.leave(row));
    session.truncate(owners[draft.row]->slot, session.rows()[draft.row].position);
    ++counted.drafts;
    counted.draftTokens += count;
    owners[draft.row]->metrics.draftTokens += count;
    if (!draft.sure.empty())
      options.draft->judge(draft.sure, static_cast<uint32_t>(outputsOfRow.size()) - 1);
  }
  for (uint32_t row = 0; row < owners.size(); ++row) {
    const Shared& request = owners[row];
    for (std::size_t i = 0; i < said[row].size() && !request->hasEnded; ++i) {
      ++request->queued;
      ++request->inFlight;
      request->metrics.acceptedDraftTokens += i != 0;
      counted.acceptedDraftTokens += i != 0;
      LLCUDA_RETURN_IF_ERROR(onToken(request, output, said[row][i]));
    }
  }
  return {};
}

} // namespace llcuda::serving
