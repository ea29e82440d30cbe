// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/rerank.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace llcuda::server {
namespace {

constexpr const char* kTemplateName = "rerank"; // as GGUF files call it

// What Qwen 3 Reranker was trained with.
constexpr std::string_view kTemplate =
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct "
    "provided. Note that the answer can only be \"yes\" or \"no\".<|im_end|>\n<|im_start|>user\n<Instruct>: Given a "
    "web search query, retrieve relevant passages that answer the query\n<Query>: {query}\n<Document>: {document}"
    "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n";

// Of queries, once for each document: what a body may hold grows by its number of documents.
constexpr std::size_t kMostText = std::size_t{32} << 20;

// Added to the logits of yes and no, it leaves these two alone, and their ratio as it is.
constexpr float kAboveAll = 200;

Checked<int32_t> tokenOf(std::string_view word, const api::Engine& engine) {
  const auto tokens = engine.tokenize(word, 0);
  if (!tokens)
    return errorOf(tokens.error());
  if ((*tokens).size() != 1)
    return ApiError{501, "this model ranks nothing: it has no token \"" + std::string(word) + "\""};
  return (*tokens).front();
}

} // namespace

std::string filledTemplate(std::string_view text, std::string_view query, std::string_view document) {
  constexpr std::string_view kQuery = "{query}", kDocument = "{document}";
  std::string filled;
  for (;;) {
    const std::size_t brace = text.find('{');
    filled += text.substr(0, brace);
    if (brace == std::string_view::npos)
      return filled;
    text.remove_prefix(brace);
    const bool isQuery = text.starts_with(kQuery), isDocument = text.starts_with(kDocument);
    filled += isQuery ? query : isDocument ? document : text.substr(0, 1);
    text.remove_prefix(isQuery ? kQuery.size() : isDocument ? kDocument.size() : 1);
  }
}

Checked<RankingPrompts> rankingPromptsOf(const Params& params, const api::Engine& engine, std::size_t context) {
  const Checked<int32_t> yes = tokenOf("yes", engine), no = tokenOf("no", engine);
  if (!yes || !no)
    return yes ? no.error() : yes.error();
  RankingPrompts prompts = {*yes, *no, {}};
  const std::string_view form = engine.chatTemplate(kTemplateName).value_or(kTemplate);
  if (params.documents.size() * (form.size() + params.query.size()) > kMostText)
    return fieldError("query", "with each of " + std::to_string(params.documents.size()) +
                                   " documents it is more than 32 MiB of text; send fewer at a time");
  for (std::size_t i = 0; i < params.documents.size(); ++i) {
    auto tokens = engine.tokenize(filledTemplate(form, params.query, params.documents[i]), LLCUDA_RENDERED_CHAT);
    if (!tokens) {
      ApiError error = errorOf(tokens.error());
      error.param = "documents[" + std::to_string(i) + "]";
      return error;
    }
    if ((*tokens).size() > context)
      return contextError((*tokens).size(), context);
    prompts.tokens.push_back(*std::move(tokens));
  }
  return prompts;
}

RerankAnswer::RerankAnswer(Service& service, std::shared_ptr<Reply> reply, Params params, RankingPrompts given)
    : ListAnswer(service, std::move(reply), std::move(params), given.tokens.size()), prompts(std::move(given)),
      scores(prompts.tokens.size()) {}

/// One token of two candidates, whose shares come back.
api::Request RerankAnswer::requestOf(std::size_t index) const {
  api::Request request;
  request.tokens = prompts.tokens[index];
  request.maxTokens = 1;
  request.sampler.emplace();
  request.sampler->stages = "k";
  request.sampler->topK = 2;
  request.sampler->temperature = 1;
  request.sampler->seed = 0;
  request.sampler->logitBias = {{prompts.yes, kAboveAll}, {prompts.no, kAboveAll}};
  request.logprobs = 2;
  request.postSamplingProbs = true;
  request.fairKey = params.key;
  return request;
}

void RerankAnswer::take(std::size_t index, const llcuda_event& event) {
  for (uint32_t i = 0; event.kind == LLCUDA_EVENT_TOKEN && i < event.top_count; ++i)
    if (event.top[i].token == prompts.yes)
      scores[index] = std::exp(static_cast<double>(event.top[i].log_probability));
}

/// The most relevant first, of equal ones the first.
Json RerankAnswer::whole(Json usage) const {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  if (params.topN > 0)
    order.resize(std::min(order.size(), static_cast<std::size_t>(params.topN)));
  Json results = Json::array();
  for (const std::size_t index : order) {
    results.push_back({{"index", index}, {"relevance_score", scores[index]}});
    if (params.returnDocuments)
      results.back()["document"] = {{"text", params.documents[index]}};
  }
  return {{"object", "list"},
          {"model", service.options().model},
          {"results", std::move(results)},
          {"usage", std::move(usage)}};
}

} // namespace llcuda::server
