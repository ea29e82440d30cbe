// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-run/batch_answer.h"

#include <ctime>
#include <utility>

#include "runtime/server/api/token_text.h"

namespace llcuda::run {
namespace {

using nlohmann::ordered_json;

std::string lineOf(const std::string& customId, uint64_t line, int status, ordered_json body) {
  const std::string number = std::to_string(line);
  const ordered_json object = {
      {"id", "batch_req_" + number},
      {"custom_id", customId},
      {"response", {{"status_code", status}, {"request_id", "req_" + number}, {"body", std::move(body)}}},
      {"error", nullptr}};
  return server::dumped(object) + "\n";
}

ordered_json embeddingBody(const BatchRequest& request, const BatchAnswer& answer) {
  const ordered_json one = {
      {"object", "embedding"}, {"index", 0}, {"embedding", server::embeddingJson(answer.embedding, request.base64)}};
  return {{"object", "list"},
          {"model", request.model},
          {"data", ordered_json::array({one})},
          {"usage", {{"prompt_tokens", answer.promptCount}, {"total_tokens", answer.promptCount}}}};
}

ordered_json chatChoice(const BatchRequest& request, const BatchAnswer& answer) {
  return {{"index", 0},
          {"message", {{"role", "assistant"}, {"content", answer.text}}},
          {"logprobs", request.request.logprobs >= 0 ? server::chatLogprobs(answer.tokens, false) : ordered_json()}};
}

ordered_json completionChoice(const BatchRequest& request, const BatchAnswer& answer, const api::Engine& engine) {
  std::vector<server::ReportedToken> tokens;
  std::string prompt;
  if (request.echoes) {
    const int32_t first = request.request.tokens.front();
    tokens.push_back({first, std::string(server::tokenBytes(engine, first)), 0, {}});
    tokens.insert(tokens.end(), answer.promptTokens.begin(), answer.promptTokens.end());
    prompt = server::promptText(engine, request.request.tokens);
  }
  tokens.insert(tokens.end(), answer.tokens.begin(), answer.tokens.end());
  return {
      {"index", 0},
      {"text", prompt + answer.text},
      {"logprobs", request.request.logprobs >= 0 ? server::legacyLogprobs(tokens, request.echoes, 0) : ordered_json()}};
}

} // namespace

void BatchAnswer::hear(const llcuda_event& event, const api::Engine& engine, const api::Request& request) {
  switch (event.kind) {
  case LLCUDA_EVENT_PROMPT_TOKEN:
    promptTokens.push_back(server::reportedToken(engine, event));
    break;
  case LLCUDA_EVENT_TOKEN:
    text.append(event.text, event.text_bytes);
    if (request.logprobs >= 0 && event.token >= 0 && event.stops == 0)
      tokens.push_back(server::reportedToken(engine, event));
    break;
  case LLCUDA_EVENT_EMBEDDING:
    embedding.assign(event.values, event.values + event.value_count);
    break;
  case LLCUDA_EVENT_DONE:
  case LLCUDA_EVENT_FAILED:
    isCut = event.stop_reason == LLCUDA_STOP_LENGTH || event.stop_reason == LLCUDA_STOP_CONTEXT;
    promptCount = event.prompt_tokens;
    cachedTokens = event.cached_tokens;
    generatedTokens = event.generated_tokens;
    break;
  default:
    break;
  }
}

std::string answerLine(const BatchRequest& request, const BatchAnswer& answer, const api::Engine& engine) {
  if (request.kind == BatchRequest::Kind::kEmbedding)
    return lineOf(request.customId, request.line, 200, embeddingBody(request, answer));
  const bool isChat = request.kind == BatchRequest::Kind::kChat;
  ordered_json choice = isChat ? chatChoice(request, answer) : completionChoice(request, answer, engine);
  choice["finish_reason"] = answer.isCut ? "length" : "stop";
  return lineOf(request.customId, request.line, 200,
                {{"id", (isChat ? "chatcmpl-" : "cmpl-") + std::to_string(request.line)},
                 {"object", isChat ? "chat.completion" : "text_completion"},
                 {"created", static_cast<int64_t>(std::time(nullptr))},
                 {"model", request.model},
                 {"choices", ordered_json::array({std::move(choice)})},
                 {"usage", server::usageJson(answer.promptCount, answer.cachedTokens, answer.generatedTokens, 0)}});
}

std::string refusalLine(const std::string& customId, uint64_t line, const BatchRefusal& refusal) {
  return lineOf(customId, line, refusal.status, server::errorBody({refusal.status, refusal.message, refusal.field}));
}

} // namespace llcuda::run
