// SPDX-License-Identifier: Apache-2.0
// /v1/embeddings: one vector for each input, in the order of the inputs.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/server/api/answer_parts.h"
#include "runtime/server/api/submissions.h"

namespace llcuda::server {

class EmbeddingAnswer final : public EventSink, public std::enable_shared_from_this<EmbeddingAnswer> {
public:
  EmbeddingAnswer(Service& service, std::shared_ptr<Reply> reply, Params params);

  /// What is refused is answered at once.
  void start(std::vector<std::vector<int32_t>> prompts);
  void onEvent(std::size_t index, const llcuda_event& event) override;

private:
  using Clock = std::chrono::steady_clock;

  void submit();
  void fail(const ApiError& error);
  Json whole() const;

  Service& service;
  std::shared_ptr<Reply> reply;
  Params params;

  std::mutex mutex;
  std::vector<std::vector<int32_t>> prompts;
  std::vector<std::vector<float>> vectors;
  std::size_t promptTokens = 0;
  Clock::time_point arrival, begun;
  bool hasBegun = false, isOver = false;
  Submissions submissions;
};

} // namespace llcuda::server
