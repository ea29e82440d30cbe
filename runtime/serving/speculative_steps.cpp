// SPDX-License-Identifier: Apache-2.0
// Decode steps in which rows have guesses behind them: rows of their slot at the next positions, which read what was
// guessed. Each is sampled as it would be in a step of its own, by the tokens before it and the noise of its position.
// So what the row before a guess samples is the text; while it is the guess, so is what the row behind samples.
#include <algorithm>

#include "runtime/serving/draft_planner.h"
#include "runtime/serving/loop_request.h"

namespace llcuda::serving {
namespace {

/// How much the newest measurement counts.
constexpr double kNewest = 1. / 8;

} // namespace

Result<void> EngineLoop::measure() {
  const bool speculates = options.speculation.kind != Speculation::kNone;
  return measurePhases(session, clock, costs,
                       speculates ? std::min(kAlikeRows, session.program().engine().metadata().max_batch()) : 0);
}

/// Queues and reads a step with guesses; false where none are worth it. Guesses are made of what was read: they say
/// whether it pays to wait for what is on its way.
Result<bool> EngineLoop::speculate() {
  if (options.speculation.kind == Speculation::kNone)
    return false;
  std::vector<Draft> drafts = draftRows();
  if (!drafts.empty() && !outputs.empty()) {
    while (!outputs.empty()) LLCUDA_RETURN_IF_ERROR(readOldest());
    drafts = draftRows();
  }
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

std::vector<EngineLoop::Draft> EngineLoop::draftRows() {
  // Masks are made of tokens that were read.
  if (rows.empty() || rows.size() == mostRowsAlike() || hasConstrainedRows())
    return {};
  std::vector<DraftState> states;
  std::vector<Guess> guesses;
  for (const Shared& request : rows) {
    Guess guess;
    if (isGuessed(*request)) {
      if (!request->drafter)
        request->drafter.emplace(options.speculation.ngram, 2 * request->length(), request->tokens);
      request->drafter->follow(request->tokens);
      const auto room = std::min<uint64_t>(options.speculation.most, request->limit - request->queued - 1);
      guess = request->drafter->guess(request->tokens, request->inFlight, static_cast<uint32_t>(room));
    }
    states.push_back({session.rows()[request->row].position, guess.chances});
    guesses.push_back(std::move(guess));
  }
  const StepCosts& taken = options.speculation.costs ? *options.speculation.costs : costs;
  const std::vector<uint32_t> counts =
      planDrafts(states, {mostRowsAlike(), options.speculation.least, speculationMs}, taken);
  std::vector<Draft> drafts;
  std::vector<uint64_t> free = pagesBesideRows();
  for (uint32_t row = 0; row < counts.size(); ++row) {
    guesses[row].tokens.resize(counts[row]);
    if (Draft draft = {row, std::move(guesses[row].tokens)}; counts[row] != 0 && takesPages(draft, free))
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
