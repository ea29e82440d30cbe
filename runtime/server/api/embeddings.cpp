// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/embeddings.h"

#include <algorithm>
#include <cmath>
#include <utility>

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

EmbeddingAnswer::EmbeddingAnswer(Service& service, std::shared_ptr<Reply> reply, Params params,
                                 std::vector<std::vector<int32_t>> given)
    : ListAnswer(service, std::move(reply), std::move(params), given.size()), prompts(std::move(given)),
      vectors(prompts.size()) {}

api::Request EmbeddingAnswer::requestOf(std::size_t index) const {
  return embeddingRequestOf(prompts[index], params, service);
}

void EmbeddingAnswer::take(std::size_t index, const llcuda_event& event) {
  if (event.kind == LLCUDA_EVENT_EMBEDDING)
    vectors[index].assign(event.values, event.values + event.value_count);
}

Json EmbeddingAnswer::whole(Json usage) const {
  Json data = Json::array();
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const std::vector<float> values = shortened(vectors[i], static_cast<std::size_t>(params.dimensions));
    data.push_back({{"object", "embedding"}, {"index", i}, {"embedding", embeddingJson(values, params.base64)}});
  }
  return {
      {"object", "list"}, {"model", service.options().model}, {"data", std::move(data)}, {"usage", std::move(usage)}};
}

} // namespace llcuda::server
