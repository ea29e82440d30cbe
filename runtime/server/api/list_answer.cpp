// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/list_answer.h"

#include <utility>

#include "runtime/server/api/request_of.h"

namespace llcuda::server {

ListAnswer::ListAnswer(Service& service, std::shared_ptr<Reply> reply, Params params, std::size_t count)
    : service(service), params(std::move(params)), reply(std::move(reply)), count(count), arrival(Clock::now()),
      submissions(service) {}

void ListAnswer::start() {
  reply->onClose([self = weak_from_this()] {
    if (const auto answer = self.lock())
      answer->submissions.cancelAll();
  });
  const std::lock_guard lock(mutex);
  submissions.begin(count, [this](std::size_t index) { return requestOf(index); });
  submit();
}

/// Callers hold the mutex.
void ListAnswer::submit() {
  const auto error = submissions.submit(shared_from_this(), [self = shared_from_this()] {
    const std::lock_guard lock(self->mutex);
    self->submit();
  });
  if (error)
    fail(*error);
}

void ListAnswer::onEvent(std::size_t index, const llcuda_event& event) {
  const std::lock_guard lock(mutex);
  if (isOver)
    return;
  if (event.kind == LLCUDA_EVENT_FAILED)
    return fail(failureOf(event));
  if (!hasBegun) {
    hasBegun = true;
    begun = Clock::now();
  }
  take(index, event);
  if (event.kind != LLCUDA_EVENT_DONE)
    return;
  promptTokens += event.prompt_tokens;
  submissions.noteEnd(index);
  if (!submissions.haveEnded())
    return submit();
  isOver = true;
  reply->note("prompt", static_cast<int64_t>(promptTokens));
  reply->send(200, "application/json", dumped(whole({{"prompt_tokens", promptTokens}, {"total_tokens", promptTokens}})),
              {queueHeader(arrival, begun)});
}

void ListAnswer::fail(const ApiError& error) {
  isOver = true;
  submissions.cancelAll();
  sendError(*reply, error);
}

} // namespace llcuda::server
