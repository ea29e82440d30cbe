// SPDX-License-Identifier: Apache-2.0
// The engine and its scheduler as the server's handlers use them: requests go in from any thread, one thread takes the
// events out and hands each to the sink of its request.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "llcuda/llcuda.hpp"
#include "runtime/server/api/fields.h"
#include "runtime/server/api/totals.h"
#include "runtime/server/chat/chat_format.h"

namespace llcuda::server {

/// Gets the events of the requests that it submitted, on the service's thread, in order; it must not wait.
class EventSink {
public:
  virtual ~EventSink() = default;
  /// `index` is what submit() was given. What the event points to lives during the call.
  virtual void onEvent(std::size_t index, const llcuda_event& event) = 0;
};

struct ServiceOptions {
  std::string model = "llcuda";          ///< its name in answers
  std::vector<std::string> aliases = {}; ///< other names of it
  std::string fingerprint = "b0";        ///< `system_fingerprint`
  Params defaults = {};                  ///< what requests that do not say otherwise get
  int64_t mostTokens = -1;               ///< of an answer where the request does not say; -1: no limit
  std::optional<llcuda_pooling> pooling = LLCUDA_POOLING_DEFAULT; ///< of embeddings; without one there are none
  bool ranks = false;   ///< the model answers whether a document meets a query, for /v1/rerank
  uint32_t queue = 256; ///< the scheduler's
  bool strictModel = false, strictFields = false;
  bool verbose = false; ///< every answer has `__verbose`
  /// Told the names of fields that no request has, each once; on a handler's thread. May be empty.
  std::function<void(const std::string& name)> onUnknownField = {};
};

/// A running or waiting request as /slots shows it.
struct ActiveRequest {
  std::size_t promptTokens = 0, computedTokens = 0, cachedTokens = 0;
  std::size_t generated = 0;
  int64_t maxTokens = -1;
  bool isRunning = false; ///< has a slot
  uint32_t slot = 0;      ///< where it runs: the lowest number that was free
};

class Service {
public:
  /// Of a request, for cancel(); 0 is none.
  using Ticket = uint64_t;

  Service(api::Engine engine, api::Scheduler scheduler, ServiceOptions options);
  /// Requests that have not ended get no more events.
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  const api::Engine& engine() const { return theEngine; }
  const ServiceOptions& options() const { return theOptions; }
  const llcuda_engine_info& info() const { return engineInfo; }
  uint32_t context() const { return theContext; } ///< positions of a request
  /// Requests of one list that the scheduler has at a time: some wait, so that no slot stands empty until the end of
  /// its request is read, and leave room in the queue.
  std::size_t window() const { return theSlots + std::min(theSlots / 4 + 1, theOptions.queue / 2); }
  FieldLimits limits() const { return {engineInfo.vocabulary}; }
  /// How the model's template writes conversations; null where it has none, or one that renders nothing.
  const ChatFormat* chatFormat() const { return format ? &*format : nullptr; }
  const std::string& chatFault() const { return formatFault; } ///< why not
  const std::vector<int32_t>& stopTokens() const { return theStopTokens; }
  llcuda_scheduler_stats stats() const { return scheduler.stats(); }

  /// The sink lives until the request's last event. 400: a prompt that is too long, a value out of range; 429: too many
  /// wait already; 503: the server is stopping.
  Checked<Ticket> submit(api::Request request, std::shared_ptr<EventSink> sink, std::size_t index);
  /// The last event is LLCUDA_EVENT_FAILED with LLCUDA_CANCELLED; nothing happens when the request has ended.
  void cancel(Ticket ticket);
  /// Whether the request rests where it is; nothing happens when it has ended.
  void hold(Ticket ticket, bool on);

  /// For who got 429: `call` is called once, on the service's thread, when there may be room.
  void whenRoom(std::function<void()> call);

  /// Takes no more requests, lets those that run go on for so long, then ends them. Blocks.
  void drain(std::chrono::milliseconds patience);
  bool isDraining() const { return draining.load(); }

  Totals totals() const;
  std::vector<ActiveRequest> active() const;
  void countUnknown(const std::vector<std::string>& names);

private:
  struct Entry {
    std::shared_ptr<EventSink> sink;
    std::size_t index = 0;
    uint64_t number = 0; ///< the scheduler's; 0 while it is being submitted
    bool isCancelled = false;
    ActiveRequest state;
    std::chrono::steady_clock::time_point lastToken;
  };

  void pump();
  void handle(const llcuda_event& event);
  void tellOfRoom();
  void follow(Entry& entry, const llcuda_event& event);
  uint32_t freeSlot() const;
  int retryAfter() const;

  ServiceOptions theOptions;
  api::Engine theEngine;
  api::Scheduler scheduler;
  llcuda_engine_info engineInfo;
  std::vector<int32_t> theStopTokens;
  std::optional<ChatFormat> format;
  std::string formatFault;
  uint32_t theSlots = 1, theContext = 0;

  mutable std::mutex mutex; // what follows
  std::map<Ticket, Entry> entries;
  Ticket lastTicket = 0;
  Totals sums;
  std::set<std::string> unknownFields;
  std::vector<std::function<void()>> waitingForRoom;

  std::atomic<bool> draining = false, stopping = false;
  std::thread thread; // last: it uses the others
};

} // namespace llcuda::server
