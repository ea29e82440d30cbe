// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/serving/request.h"

namespace llcuda::serving {

/// Events in order, from one thread to any. The descriptor is readable while some wait.
class EventQueue {
public:
  Result<void> open();
  EventQueue() = default;
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;
  ~EventQueue();

  int fd() const { return descriptor; }
  void push(Event event);
  /// Up to `most` events; waits for the first. A negative timeout: as long as it takes.
  std::vector<Event> take(std::size_t most, std::chrono::milliseconds timeout);

private:
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<Event> events;
  int descriptor = -1;
};

} // namespace llcuda::serving
