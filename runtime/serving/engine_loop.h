// SPDX-License-Identifier: Apache-2.0
// What the engine thread of a scheduler does: one step after another, for all requests that are there.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "runtime/exec/session.h"
#include "runtime/serving/answer.h"
#include "runtime/serving/constraint.h"
#include "runtime/serving/draft_model.h"
#include "runtime/serving/draft_planner.h"
#include "runtime/serving/event_queue.h"
#include "runtime/serving/fair_shares.h"
#include "runtime/serving/mask_workers.h"
#include "runtime/serving/measured_costs.h"
#include "runtime/serving/prefix_cache.h"
#include "runtime/serving/prompt_report.h"
#include "runtime/serving/request.h"
#include "runtime/serving/speculation.h"
#include "runtime/serving/step_planner.h"
#include "runtime/text/text_config.h"

namespace llcuda::serving {

/// How the tokens of an engine are read. Outlives the scheduler.
struct TextRules {
  const text::Tokenizer* tokenizer = nullptr; ///< null: requests have no text
  const text::TextConfig* config = nullptr;   ///< null: no token ends an answer
};

struct LoopOptions {
  PlannerOptions planner;
  uint64_t hostCacheBytes = 0; ///< of paused requests and, where these leave room, prefixes
  bool prefixCache = true;     ///< prompts begin with what others have computed
  bool fair = false;           ///< FairShares over RequestOptions::fairKey
  MaskWorkerOptions masks = {};
  SpeculationOptions speculation = {}; ///< not with recurrent states
  DraftModel* draft = nullptr;         ///< guesses too; on the device of the session. Null: there is none
};

/// One thread at a time. Requests wait, have their prompt computed, generate, may be paused meanwhile, and end with one
/// event kDone or kFailed. A step is queued before the results of the one before it are read; with a grammar among the
/// rows its trunk alone, and its tail once they are read and masks are made of them. A row whose mask is late is held:
/// it has the same step once more, and others go on. A step with guesses is read before anything else is queued.
/// A prompt begins with the pages that others have computed for the same tokens, and waits for those that somebody is
/// about to compute.
class EngineLoop {
public:
  EngineLoop(Session& session, PhaseClock& clock, TextRules text, LoopOptions options, EventQueue& events);
  ~EngineLoop();

  /// Runs each phase once, so that the first steps are planned by what they take.
  Result<void> measure();

  /// The request was checked: its prompt fits into the context.
  Result<void> submit(uint64_t id, RequestOptions options, std::chrono::steady_clock::time_point arrival);
  /// The request ends now, or without one all do; nothing when it has ended.
  Result<void> cancel(std::optional<uint64_t> id);
  /// The client of a request takes no more: it keeps what it has, and generates nothing until it goes on. It makes
  /// room for others before anybody else does. Nothing when it has ended.
  Result<void> hold(uint64_t id, bool isHeld);
  /// Whether there is nothing to do.
  bool isIdle() const { return requests.empty() && outputs.empty(); }
  /// Whether there is nothing to do until somebody submits, cancels or goes on: all requests are held.
  bool isStalled() const { return stalled; }
  /// Nothing was to do since the last step: the time until the next one is nobody's fault.
  void noteSleep();
  Result<void> step();
  /// Ends all requests; the session is not used any more.
  void failAll(const Error& error);

  Stats stats() const;
  /// Puts the events kDone and kFailed since the last call into the queue: once others see stats(), which counts them.
  void sayEnded();
  const PrefixTree& prefixes() const { return cache.prefixes(); }
  /// Requests that have come and had no slot yet.
  uint32_t waitingCount() const { return static_cast<uint32_t>(waiting.size()); }

private:
  struct Request;
  using Shared = std::shared_ptr<Request>;
  /// What a queued run leaves: a token for each of its owners, and what is read of the parts of prompts in it.
  struct Output {
    uint64_t step;
    std::vector<Shared> owners;
    std::vector<std::pair<Shared, PromptReading>> readings; ///< of all parts, in their order; or none
  };

  // Who runs.
  Result<void> dismiss();
  Result<void> admit();
  enum class Start { kStarted, kNoRoom, kLater };
  Result<Start> tryStart(const Shared& request);
  Result<bool> pauseHeld();
  Result<void> makeRoomForRows();
  Result<void> begin(const Shared& request, const PrefixTree::Hit& hit);
  Result<void> joinRow(const Shared& request);
  bool waitsFor(const Request& request, const PrefixTree::Hit& hit);
  void takeTurns(std::span<const Shared> candidates);
  bool hasPagesFor(const Request& request, const PrefixTree::Hit& hit) const;
  Result<void> pause(const Shared& request);
  Result<void> release(Request& request);
  Result<void> leaveRow(uint32_t row);
  Standing standingOf(const Request& request) const;
  uint32_t positionsToStart(const Request& request) const;
  uint32_t promised(std::size_t group) const;

  // What runs.
  PageCounts pagesOfPausing(const Request& request, bool isPrompt) const;
  StepPlan plan();
  Result<void> freeRowPages();
  Result<void> queueRun(PromptRun run, const std::vector<Shared>& planned);
  Result<void> queueDecode();
  bool hasConstrainedRows() const;
  Result<bool> allAreLate();
  Result<void> readBeforeTail();
  Result<std::vector<bool>> placeMasks();

  // Guessed tokens (speculative_steps.cpp).
  struct Draft {
    uint32_t row; ///< of rows
    std::vector<int32_t> tokens;
    std::vector<double> sure; ///< of a draft model: DraftGuess
    uint32_t firstRow = 0;    ///< of the session, of its first token
  };
  /// What could be checked beside the rows, and how much of it is worth its time.
  struct Guesses {
    std::vector<DraftState> states;
    std::vector<DraftGuess> known; ///< without the draft model
    DraftPlan plan;
    std::optional<uint32_t> tried; ///< a row whose guess is checked whether that pays or not
    bool isEmpty() const {
      return std::ranges::all_of(plan.counts, [](uint32_t count) { return count == 0; });
    }
  };
  bool speculates() const { return options.speculation.kind != Speculation::kNone || options.draft; }
  StepRows stepOfRows() const;
  const StepCosts& speculationCosts() const { return options.speculation.costs ? *options.speculation.costs : costs; }
  Result<bool> speculate();
  uint32_t mostRowsAlike() const;
  bool isGuessed(const Request& request) const;
  uint32_t roomForGuesses(const Request& request) const;
  DraftGuess guessByNgrams(Request& request) const;
  Result<Guesses> planGuesses();
  DraftPlan planOf(std::span<const DraftState> states) const;
  Result<void> letFollow(Guesses& guesses);
  void allowTrials();
  Result<void> askModel(Guesses& guesses);
  std::vector<Draft> draftsOf(Guesses guesses);
  bool takesPages(const Draft& draft, std::vector<uint64_t>& free) const;
  std::vector<uint64_t> pagesBesideRows() const;
  Result<void> queueVerify(std::vector<Draft>& drafts);
  Result<void> readVerified(const std::vector<Draft>& drafts);

  // What came of it.
  Result<StepOutput> takeOutput();
  Result<void> readOldest();
  Result<void> readUpTo(uint64_t step);
  Result<void> readPrompts(const Output& read, const StepOutput& output);
  Result<void> onPrompt(const Shared& request, const PromptReading& reading, std::span<const TokenScore> scores,
                        std::span<const float> sums);
  Result<void> onToken(const Shared& request, const StepOutput& output, uint32_t index);
  Result<void> finish(Request& request, StopReason reason);
  Result<void> fail(Request& request, const Error& error);
  static Event of(const Request& request, Event event);
  void emit(const Request& request, Event event);
  void noteEnd(Request& request, Event& event); ///< somebody else holds the request
  Result<void> readClock();

  Session& session;
  PhaseClock& clock;
  TextRules text;
  LoopOptions options;
  EventQueue& events;
  std::vector<Event> ended; // not in the queue yet
  MeasuredCosts costs;
  PrefixCache cache; // outlives the requests, which have blocks of its
  FairShares shares;

  MaskWorkers masks; // outlives the requests

  std::unordered_map<uint64_t, Shared> requests; // that have not ended
  std::vector<Shared> waiting, paused;           // in no order
  std::vector<Shared> prompts;                   // with a slot, in order of arrival of the slot
  std::vector<Shared> rows;                      // of the decode steps
  std::vector<Shared> held;                      // with a slot and no row, since their client takes no more
  std::vector<uint32_t> freeSlots;
  bool tailIsDue = false;      // rows keep their places until it is queued
  std::vector<Shared> leaving; // that have ended meanwhile
  std::deque<Output> outputs;  // queued and not read
  std::chrono::steady_clock::time_point lastRead;
  double allowanceMs = 0;   // in which the draft model may be tried where it does not pay
  double speculationMs = 0; // of the host between two steps of which the first is read before the second is queued
  uint64_t hostBytes = 0;
  bool stalled = false;
  uint64_t stepNumber = 0, nextArrival = 0;
  uint64_t phasesQueued = 0, phasesTimed = 0;
  std::deque<uint64_t> afterSleep; // phases in front of which nothing was to do
  Stats counted;
};

} // namespace llcuda::serving
