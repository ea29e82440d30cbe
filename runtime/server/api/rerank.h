// SPDX-License-Identifier: Apache-2.0
// /v1/rerank: how well each document answers a query, by a model that is asked for yes or no. The relevance of a
// document is the share that "yes" has of the two as the next token: p(yes) / (p(yes) + p(no)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/server/api/list_answer.h"

namespace llcuda::server {

/// What a ranking asks of each document.
struct RankingPrompts {
  int32_t yes = -1, no = -1; ///< the tokens of the two answers
  std::vector<std::vector<int32_t>> tokens;
};

/// The query and each document in the model's template `rerank`, whose {query} and {document} they take the place of,
/// or in the words of Qwen 3 Reranker. Special tokens count in them, as in other prompts. 400: a prompt of more than
/// `context` tokens, or a query that is too much text when each document has it. 501: the model has no token for "yes"
/// or "no".
Checked<RankingPrompts> rankingPromptsOf(const Params& params, const api::Engine& engine, std::size_t context);

/// `text` with the query and the document in place of {query} and {document}, once over the text: what they hold stays.
std::string filledTemplate(std::string_view text, std::string_view query, std::string_view document);

class RerankAnswer final : public ListAnswer {
public:
  RerankAnswer(Service& service, std::shared_ptr<Reply> reply, Params params, RankingPrompts prompts);

private:
  api::Request requestOf(std::size_t index) const override;
  void take(std::size_t index, const llcuda_event& event) override;
  Json whole(Json usage) const override;

  const RankingPrompts prompts;
  std::vector<double> scores;
};

} // namespace llcuda::server
