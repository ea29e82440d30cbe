// SPDX-License-Identifier: Apache-2.0
// /v1/embeddings: one vector for each input, in the order of the inputs.
#pragma once

#include <vector>

#include "runtime/server/api/list_answer.h"

namespace llcuda::server {

class EmbeddingAnswer final : public ListAnswer {
public:
  EmbeddingAnswer(Service& service, std::shared_ptr<Reply> reply, Params params,
                  std::vector<std::vector<int32_t>> prompts);

private:
  api::Request requestOf(std::size_t index) const override;
  void take(std::size_t index, const llcuda_event& event) override;
  Json whole(Json usage) const override;

  const std::vector<std::vector<int32_t>> prompts;
  std::vector<std::vector<float>> vectors;
};

} // namespace llcuda::server
