// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/routes.h"

#include <algorithm>
#include <utility>

#include "runtime/server/api/chat_answer.h"
#include "runtime/server/api/chat_prompt.h"
#include "runtime/server/api/completion_answer.h"
#include "runtime/server/api/embeddings.h"
#include "runtime/server/api/json_body.h"
#include "runtime/server/api/openapi.h"
#include "runtime/server/api/prompts.h"
#include "runtime/server/api/rerank.h"

namespace llcuda::server {
namespace {

using ReplyPointer = std::shared_ptr<Reply>;

void sendJson(Reply& reply, const Json& json) {
  reply.send(200, "application/json", dumped(json));
}

bool isOurs(const Service& service, const std::string& model) {
  const ServiceOptions& options = service.options();
  return model == options.model || std::ranges::find(options.aliases, model) != options.aliases.end();
}

/// Texts of logit_bias as the tokens that they are of.
std::optional<ApiError> resolveBias(Params& params, const api::Engine& engine) {
  std::vector<LogitBias> resolved;
  for (const LogitBias& entry : params.logitBias) {
    if (entry.text.empty()) {
      resolved.push_back(entry);
      continue;
    }
    const auto tokens = engine.tokenize(entry.text, 0);
    if (!tokens)
      return errorOf(tokens.error());
    for (const int32_t token : *tokens)
      resolved.push_back({.token = token, .bias = entry.bias, .forbids = entry.forbids});
  }
  params.logitBias = std::move(resolved);
  return std::nullopt;
}

Checked<Params> paramsOf(Service& service, const Request& request, FieldForm form) {
  const Checked<Json> body = parseBody(request.body);
  if (!body)
    return body.error();
  Checked<ReadRequest> read =
      readFields(*body, form, service.options().defaults, service.limits(), service.options().strictFields);
  if (!read)
    return read.error();
  Params params = std::move(read->params);
  service.countUnknown(read->unknown);
  params.key = request.keyName;
  params.verbose |= service.options().verbose;
  if (service.options().strictModel && params.model && !isOurs(service, *params.model))
    return ApiError{404, "there is no model '" + *params.model + "' here; there is '" + service.options().model + "'",
                    "model"};
  if (auto error = resolveBias(params, service.engine()))
    return *error;
  return params;
}

/// What is wrong with one of a list is said before the first of it is answered; its answers take no memory without end.
std::optional<ApiError> checkList(const std::vector<std::vector<int32_t>>& prompts, int64_t n, const Service& service) {
  constexpr std::size_t kMostAnswers = 8192;
  for (const std::vector<int32_t>& prompt : prompts)
    if (prompt.size() > service.context())
      return contextError(prompt.size(), service.context());
  if (prompts.size() * static_cast<std::size_t>(n) <= kMostAnswers)
    return std::nullopt;
  return fieldError("n", "asks for " + std::to_string(n) + " answers to each of " + std::to_string(prompts.size()) +
                             " prompts; allowed are " + std::to_string(kMostAnswers) + " answers in a request");
}

/// What asks an encoder for tokens is refused before it is read.
std::optional<ApiError> refusedTokens(const Service& service) {
  const llcuda_engine_info& info = service.info();
  if (info.encoder == 0)
    return std::nullopt;
  return ApiError{501, "the model is an encoder (" + std::string(info.architecture) +
                           "), which makes embeddings of texts (/v1/embeddings) and writes none"};
}

void complete(Service& service, const Request& request, const ReplyPointer& reply, FieldForm form) {
  if (const auto refused = refusedTokens(service))
    return sendError(*reply, *refused);
  Checked<Params> params = paramsOf(service, request, form);
  if (!params)
    return sendError(*reply, params.error());
  Checked<Prompts> prompts = promptsOf(params->prompt, "prompt", service.engine(), service.limits());
  if (!prompts)
    return sendError(*reply, prompts.error());
  if (auto error = checkList(prompts->tokens, params->n, service))
    return sendError(*reply, *error);
  if (form == kCompletion)
    std::make_shared<CompletionAnswer>(service, reply, std::move(*params), prompts->isList)
        ->start(std::move(prompts->tokens));
  else
    std::make_shared<TextAnswer>(service, reply, std::move(*params))->start(std::move(prompts->tokens));
}

void chat(Service& service, const Request& request, const ReplyPointer& reply) {
  if (const auto refused = refusedTokens(service))
    return sendError(*reply, *refused);
  Checked<Params> params = paramsOf(service, request, kChat);
  if (!params)
    return sendError(*reply, params.error());
  auto prompt = chatPromptOf(*params, service);
  if (!prompt)
    return sendError(*reply, prompt.error());
  auto tokens = chatTokensOf(*prompt, service);
  if (!tokens)
    return sendError(*reply, tokens.error());
  std::make_shared<ChatAnswer>(service, reply, std::move(*params), std::move(*prompt))->start({std::move(*tokens)});
}

void countTokens(Service& service, const Request& request, const ReplyPointer& reply) {
  const Checked<Params> params = paramsOf(service, request, kChat);
  if (!params)
    return sendError(*reply, params.error());
  const auto prompt = chatPromptOf(*params, service);
  if (!prompt)
    return sendError(*reply, prompt.error());
  const auto tokens = chatTokensOf(*prompt, service);
  if (!tokens)
    return sendError(*reply, tokens.error());
  sendJson(*reply, {{"object", "response.input_tokens"}, {"input_tokens", (*tokens).size()}});
}

void embed(Service& service, const Request& request, const ReplyPointer& reply) {
  Checked<Params> params = paramsOf(service, request, kEmbeddings);
  if (!params)
    return sendError(*reply, params.error());
  Checked<Prompts> prompts = promptsOf(params->input, "input", service.engine(), service.limits());
  if (!prompts)
    return sendError(*reply, prompts.error());
  if (!service.options().pooling)
    return sendError(*reply, {.message = "the server was started with --pooling none: it has no embedding of a text"});
  if (auto error = checkList(prompts->tokens, 1, service))
    return sendError(*reply, *error);
  std::make_shared<EmbeddingAnswer>(service, reply, std::move(*params), std::move(prompts->tokens))->start();
}

void rerank(Service& service, const Request& request, const ReplyPointer& reply) {
  if (const auto refused = refusedTokens(service))
    return sendError(*reply, *refused);
  Checked<Params> params = paramsOf(service, request, kRerank);
  if (!params)
    return sendError(*reply, params.error());
  if (!service.options().ranks)
    return sendError(*reply, {501, "the server was started without --rerank: it ranks no documents"});
  Checked<RankingPrompts> prompts = rankingPromptsOf(*params, service.engine(), service.context());
  if (!prompts)
    return sendError(*reply, prompts.error());
  std::make_shared<RerankAnswer>(service, reply, std::move(*params), std::move(*prompts))->start();
}

} // namespace

std::vector<Route> apiRoutes(std::function<Service&()> service) {
  using Serve = std::function<void(Service&, const Request&, const ReplyPointer&)>;
  std::vector<Route> routes;
  const auto add = [&](std::string_view method, std::initializer_list<std::string_view> paths, const Serve& serve) {
    for (const std::string_view path : paths)
      routes.push_back({method, path, [service, serve](const Request& request, ReplyPointer reply) {
                          serve(service(), request, reply);
                        }});
  };
  add("POST", {"/v1/chat/completions", "/chat/completions"}, chat);
  add("POST", {"/v1/chat/completions/input_tokens", "/chat/completions/input_tokens"}, countTokens);
  add("POST", {"/v1/completions"}, [](Service& service, const Request& request, const ReplyPointer& reply) {
    complete(service, request, reply, kCompletions);
  });
  add("POST", {"/completion", "/completions"}, [](Service& service, const Request& request, const ReplyPointer& reply) {
    complete(service, request, reply, kCompletion);
  });
  add("POST", {"/v1/embeddings", "/embeddings"}, embed);
  add("POST", {"/v1/rerank", "/rerank", "/v1/reranking", "/reranking"}, rerank);
  add("GET", {"/openapi.json"}, [](Service& service, const Request&, const ReplyPointer& reply) {
    sendJson(*reply, openApiDocument(service.limits()));
  });
  return routes;
}

} // namespace llcuda::server
