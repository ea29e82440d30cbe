// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/submissions.h"

#include <utility>

namespace llcuda::server {

void Submissions::begin(std::size_t wanted, Make function) {
  count = wanted;
  make = std::move(function);
}

std::optional<ApiError> Submissions::submit(const std::shared_ptr<EventSink>& sink, std::function<void()> again) {
  while (submitted < count && submitted - ended < service.window() && !isHeld && !isCancelled()) {
    const auto ticket = service.submit(make(submitted), sink, submitted);
    if (!ticket) {
      if (ticket.error().status != 429 || submitted == 0)
        return ticket.error();
      break;
    }
    const std::lock_guard lock(mutex);
    now.emplace(submitted++, *ticket);
    if (cancelled)
      service.cancel(*ticket);
  }
  if (submitted < count && submitted == ended && !isCancelled()) // else the end of one of them tries again
    service.whenRoom(std::move(again));
  return std::nullopt;
}

bool Submissions::isCancelled() {
  const std::lock_guard lock(mutex);
  return cancelled;
}

void Submissions::noteEnd(std::size_t index) {
  ++ended;
  const std::lock_guard lock(mutex);
  now.erase(index);
}

/// The client left, or the answer failed; on any thread, also on one that holds the answer's mutex.
void Submissions::cancelAll() {
  const std::lock_guard lock(mutex);
  cancelled = true;
  for (const auto& [index, ticket] : now) service.cancel(ticket);
}

void Submissions::hold(bool on) {
  isHeld = on;
  const std::lock_guard lock(mutex);
  for (const auto& [index, ticket] : now) service.hold(ticket, on);
}

} // namespace llcuda::server
