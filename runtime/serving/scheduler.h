// SPDX-License-Identifier: Apache-2.0
// Many requests on one engine and one device. No sockets: who submits and who reads events is the caller's business.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "runtime/exec/program.h"
#include "runtime/serving/engine_loop.h"
#include "runtime/serving/event_queue.h"
#include "runtime/serving/request.h"

namespace llcuda::serving {

/// An engine that guesses, on the device of the scheduler's own: DraftModel.
struct DraftEngine {
  std::shared_ptr<const Program> program;     ///< null: there is none
  const text::Tokenizer* tokenizer = nullptr; ///< its own; null: it has no text
};

struct SchedulerOptions {
  uint32_t context = 0;         ///< positions of a request at most, 1 ... max_context; 0: max_context
  uint32_t slots = 0;           ///< requests that run at a time, 1 ... max_batch; 0: max_batch
  uint64_t cacheBytes = 0;      ///< of KV pages on the device at most; 0: what is free, less kReservedBytes
  uint64_t hostCacheBytes = 0;  ///< in host memory, of paused requests, else computed again, and of prefixes
  uint32_t queue = 256;         ///< requests that may wait
  bool prefixCache = true;      ///< prompts begin with what others have computed
  bool fair = false;            ///< shares by RequestOptions::fairKey
  MaskWorkerOptions masks = {}; ///< of requests with grammars
  SpeculationOptions speculation = {};
  DraftEngine draft = {};
  PlannerOptions planner;
  bool graphs = true;
  /// Whether each phase is run and timed at the start. Not on the host unless asked for: it would take long, and there
  /// steps have no real time to keep.
  std::optional<bool> measures;
};

/// The same with the engine's values in place of zeros. kUsage: context or slots that it does not have, or speculation
/// with one row.
Result<SchedulerOptions> checkedOptions(const Engine& engine, SchedulerOptions options);

/// Any thread; only the scheduler's own one touches the device. Every request that was accepted ends with one event
/// kDone or kFailed. After a fault of the device all of them, and what is submitted later, end with its error.
class Scheduler {
public:
  /// Captures all graphs. kUsage: as of checkedOptions(); kUnsupported: speculation with recurrent states, a draft
  /// engine with another vocabulary; kOutOfMemory.
  static Result<std::unique_ptr<Scheduler>> create(std::shared_ptr<const Program> program, TextRules text,
                                                   SchedulerOptions options = {});
  /// Requests that have not ended get no more events.
  ~Scheduler();

  /// Its number; never waits for the device. kUsage: no tokens, ids outside the vocabulary, more than the context, or
  /// other values out of range; kUnsupported: stop strings or a grammar where there is no text; kBusy: the queue is
  /// full, or it is being drained.
  Result<uint64_t> submit(RequestOptions request);
  /// The request ends within a step with kFailed and kCancelled, wherever it is; nothing when it has ended.
  void cancel(uint64_t request);
  /// It generates nothing from within a step on, until it is called with false. Nothing when it has ended.
  void hold(uint64_t request, bool isHeld);
  /// Up to `most` events in their order; waits for the first. A negative timeout: as long as it takes.
  std::vector<Event> poll(std::size_t most, std::chrono::milliseconds timeout) { return events.take(most, timeout); }
  /// Readable while events wait.
  int fd() const { return events.fd(); }
  /// Whoever has taken a request's last event finds it ended here too.
  Stats stats() const;
  /// Accepts nothing more and waits until all requests have ended. After the timeout they are cancelled, and it is
  /// kCancelled; a negative one: as long as it takes.
  Result<void> drain(std::chrono::milliseconds timeout);

  uint32_t context() const { return session->context(); }
  uint32_t slots() const { return session->memoryPlan().slots; }
  const MemoryPlan& memoryPlan() const { return session->memoryPlan(); }
  /// Of the draft engine; null without one.
  const MemoryPlan* draftPlan() const { return draft ? &draft->memoryPlan() : nullptr; }

private:
  struct Submitted {
    uint64_t id;
    RequestOptions options;
    std::chrono::steady_clock::time_point arrival;
  };
  struct Cancelled {
    std::optional<uint64_t> id; ///< nothing: all
  };
  struct Held {
    uint64_t id;
    bool isHeld;
  };
  using Command = std::variant<Submitted, Cancelled, Held>;

  Scheduler(std::shared_ptr<const Program> program, TextRules text, SchedulerOptions options);
  Result<void> start(std::shared_ptr<const Program> program);
  Result<void> startDraft(const Program& program, bool measures);
  Result<void> check(const RequestOptions& request) const;
  void run();
  Result<void> obey(Command& command);
  Result<void> work(std::vector<Command> commands, bool isBroken);

  TextRules text;
  SchedulerOptions options;
  PhaseClock clock;
  EventQueue events;
  std::unique_ptr<DraftModel> draft;
  std::unique_ptr<Session> session;
  std::unique_ptr<EngineLoop> loop; // of the engine thread alone

  mutable std::mutex mutex;
  std::condition_variable wake, idle;
  std::vector<Command> inbox;
  Stats published;
  uint64_t lastId = 0;
  uint32_t submitted = 0; // in the inbox
  bool draining = false, stopping = false, isIdle = true;
  std::thread thread;
};

} // namespace llcuda::serving
