// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/event_queue.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace llcuda::serving {

Result<void> EventQueue::open() {
  descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0)
    return internalError("a descriptor for events cannot be made: ", std::strerror(errno));
  return {};
}

EventQueue::~EventQueue() {
  if (descriptor >= 0)
    ::close(descriptor);
}

void EventQueue::push(Event event) {
  const std::lock_guard lock(mutex);
  if (events.empty()) {
    const uint64_t one = 1;
    (void)!::write(descriptor, &one, sizeof(one));
  }
  events.push_back(std::move(event));
  arrived.notify_one();
}

std::vector<Event> EventQueue::take(std::size_t most, std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex);
  const auto there = [this] { return !events.empty(); };
  if (timeout < timeout.zero())
    arrived.wait(lock, there);
  else
    arrived.wait_for(lock, timeout, there);
  const auto count = static_cast<std::ptrdiff_t>(std::min(most, events.size()));
  std::vector<Event> taken(std::make_move_iterator(events.begin()), std::make_move_iterator(events.begin() + count));
  events.erase(events.begin(), events.begin() + count);
  if (events.empty() && count != 0) {
    uint64_t value = 0;
    (void)!::read(descriptor, &value, sizeof(value));
  } else if (!events.empty()) {
    arrived.notify_one(); // another thread may wait too
  }
  return taken;
}

} // namespace llcuda::serving
