// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/embeddings.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>

#include "runtime/server/api/request_of.h"

namespace llcuda::server {
namespace {

std::string base64(std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? bytes[i + k] : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

/// 32-bit floats, little-endian.
std::vector<uint8_t> bytesOf(const std::vector<float>& values) {
  std::vector<uint8_t> bytes;
  for (const float value : values)
    for (int shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<uint8_t>(std::bit_cast<uint32_t>(value) >> shift));
  return bytes;
}

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
    : service(service), reply(std::move(reply)), params(std::move(params)), submissions(service) {}

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
  reply->send(200, "application/json", dumped(whole()));
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
    data.push_back({{"object", "embedding"},
                    {"index", i},
                    {"embedding", params.base64 ? Json(base64(bytesOf(values))) : Json(values)}});
  }
  return {{"object", "list"},
          {"model", service.options().model},
          {"data", std::move(data)},
          {"usage", {{"prompt_tokens", promptTokens}, {"total_tokens", promptTokens}}}};
}

} // namespace llcuda::server
