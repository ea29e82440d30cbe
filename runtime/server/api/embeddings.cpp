// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/embeddings.h"

#include <algorithm>
#include <cmath>

#include "runtime/server/api/request_of.h"

namespace llcuda::server {
namespace {

/// The first so many, scaled to length 1.
std::vector<float> shortened(std::vector<float> values, std::size_t count) {
  if (count == 0 || count >= values.size())
    return values;
  values.resize(count);
  double squares = 0;
  for (const float value : values) squares += static_cast<double>(value) * value;
  for (float& value : values) value = squares > 0 ? static_cast<float>(value / std::sqrt(squares)) : 0;
  return values;
}

} // namespace

EmbeddingAnswer::EmbeddingAnswer(Service& service, std::shared_ptr<Reply> reply, Params params)
    : service(service), reply(std::move(reply)), params(std::move(params)), arrival(Clock::now()),
      submissions(service) {}

void EmbeddingAnswer::start(std::vector<std::vector<int32_t>> given) {
  reply->onClose([self = weak_from_this()] {
    if (const auto answer = self.lock())
      answer->submissions.cancelAll();
  });
  const std::lock_guard lock(mutex);
  prompts = std::move(given);
  vectors.resize(prompts.size());
  submissions.begin(prompts.size(),
                    [this](std::size_t index) { return embeddingRequestOf(prompts[index], params, service); });
  submit();
}

/// Callers hold the mutex.
void EmbeddingAnswer::submit() {
  const auto error = submissions.submit(shared_from_this(), [self = shared_from_this()] {
    const std::lock_guard lock(self->mutex);
    self->submit();
  });
  if (error)
    fail(*error);
}

void EmbeddingAnswer::onEvent(std::size_t index, const llcuda_event& event) {
  const std::lock_guard lock(mutex);
  if (isOver)
    return;
  if (!hasBegun && event.kind != LLCUDA_EVENT_FAILED) {
    hasBegun = true;
    begun = Clock::now();
  }
  if (event.kind == LLCUDA_EVENT_EMBEDDING)
    vectors[index].assign(event.values, event.values + event.value_count);
  if (event.kind == LLCUDA_EVENT_FAILED)
    return fail(failureOf(event));
  if (event.kind != LLCUDA_EVENT_DONE)
    return;
  promptTokens += event.prompt_tokens;
  submissions.noteEnd(index);
  if (!submissions.haveEnded())
    return submit();
  isOver = true;
  reply->note("prompt", static_cast<int64_t>(promptTokens));
  reply->send(200, "application/json", dumped(whole()), {queueHeader(arrival, begun)});
}

void EmbeddingAnswer::fail(const ApiError& error) {
  isOver = true;
  submissions.cancelAll();
  sendError(*reply, error);
}

Json EmbeddingAnswer::whole() const {
  Json data = Json::array();
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const std::vector<float> values = shortened(vectors[i], static_cast<std::size_t>(params.dimensions));
    data.push_back({{"object", "embedding"}, {"index", i}, {"embedding", embeddingJson(values, params.base64)}});
  }
  return {{"object", "list"},
          {"model", service.options().model},
          {"data", std::move(data)},
          {"usage", {{"prompt_tokens", promptTokens}, {"total_tokens", promptTokens}}}};
}

} // namespace llcuda::server
