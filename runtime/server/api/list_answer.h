// SPDX-License-Identifier: Apache-2.0
// What an endpoint answers that asks the model something about each of a list, and sends all of it when the last one is
// there: embeddings, rankings.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>

#include "runtime/server/api/answer_parts.h"
#include "runtime/server/api/submissions.h"

namespace llcuda::server {

class ListAnswer : public EventSink, public std::enable_shared_from_this<ListAnswer> {
public:
  /// What is refused is answered at once.
  void start();
  void onEvent(std::size_t index, const llcuda_event& event) final;

protected:
  ListAnswer(Service& service, std::shared_ptr<Reply> reply, Params params, std::size_t count);

  /// Number `index` of the list.
  virtual api::Request requestOf(std::size_t index) const = 0;
  /// What comes of it, with its last event.
  virtual void take(std::size_t index, const llcuda_event& event) = 0;
  /// The answer, when all of them have ended; `usage` counts their tokens.
  virtual Json whole(Json usage) const = 0;

  Service& service;
  const Params params;

private:
  using Clock = std::chrono::steady_clock;

  void submit();
  void fail(const ApiError& error);

  std::shared_ptr<Reply> reply;
  const std::size_t count;

  std::mutex mutex; // of what follows, and of what take() keeps
  std::size_t promptTokens = 0;
  Clock::time_point arrival, begun;
  bool hasBegun = false, isOver = false;
  Submissions submissions;
};

} // namespace llcuda::server
