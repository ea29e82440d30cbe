// SPDX-License-Identifier: Apache-2.0
// The requests of one answer. The scheduler has a window of them at a time, a little more than run at a time: a list of
// a thousand prompts needs no queue of a thousand, and what ends is followed by one that stands behind whoever came
// meanwhile.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "runtime/server/api/service.h"

namespace llcuda::server {

/// One thread at a time, but for cancelAll().
class Submissions {
public:
  /// Request number `index`.
  using Make = std::function<api::Request(std::size_t index)>;

  explicit Submissions(Service& service) : service(service) {}

  void begin(std::size_t count, Make make);
  /// Submits what fits into the window; nothing while they are held, or after cancelAll(). Where none of them runs and
  /// some are left, since they are held or the queue is full, `again` is called later, once, on the service's thread:
  /// it keeps the sink alive. 429 where the queue is full for the first of all.
  std::optional<ApiError> submit(const std::shared_ptr<EventSink>& sink, std::function<void()> again);
  /// Number `index` has ended: what follows it waits for submit().
  void noteEnd(std::size_t index);
  bool haveEnded() const { return ended == count; }

  void cancelAll();
  void hold(bool on);

private:
  bool isCancelled();

  Service& service;
  Make make;
  std::size_t count = 0, submitted = 0, ended = 0;
  bool isHeld = false;

  std::mutex mutex;                           // what follows
  std::map<std::size_t, Service::Ticket> now; // by index; that have not ended
  bool cancelled = false;
};

} // namespace llcuda::server
