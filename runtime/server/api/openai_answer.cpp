// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/openai_answer.h"

#include "runtime/server/api/completion_answer.h"
#include "runtime/server/api/token_text.h"

namespace llcuda::server {

OpenAiAnswer::OpenAiAnswer(Service& service, std::shared_ptr<Reply> reply, Params params, std::string idPrefix,
                           std::string_view chunkObject, std::string_view wholeObject)
    : Answer(service, std::move(reply), std::move(params), std::move(idPrefix)), chunkObject(chunkObject),
      wholeObject(wholeObject) {}

Json OpenAiAnswer::head(std::string_view object) const {
  return {{"id", id},
          {"object", object},
          {"created", created},
          {"model", service.options().model},
          {"system_fingerprint", service.options().fingerprint}};
}

Json OpenAiAnswer::chunk(Json choices) const {
  Json json = head(chunkObject);
  json["choices"] = std::move(choices);
  return json;
}

Json OpenAiAnswer::finishReason(const Choice& choice) {
  return choice.stopReason == LLCUDA_STOP_LENGTH || choice.stopReason == LLCUDA_STOP_CONTEXT ? "length" : "stop";
}

Timings OpenAiAnswer::sumOfTimings() const {
  Timings sum;
  for (const Choice& choice : choices) sum += choice.timings;
  return sum;
}

/// The prompt of several choices counts once, as OpenAI counts it.
Json OpenAiAnswer::usage() const {
  std::size_t prompt = 0, cached = 0, generated = 0;
  for (const Choice& choice : choices) {
    generated += choice.generated;
    if (choice.index % static_cast<std::size_t>(params.n) != 0)
      continue;
    prompt += choice.prompt.size();
    cached += choice.timings.cachedTokens;
  }
  return usageJson(prompt, cached, generated, reasoningTokens());
}

void OpenAiAnswer::writeProgress(Choice& choice, const Progress& progress) {
  Json json = chunk(Json::array({emptyDelta(choice)}));
  json["prompt_progress"] = progressJson(progress);
  emit(json);
}

void OpenAiAnswer::writeEnd() {
  if (params.includeUsage) {
    Json json = chunk(Json::array());
    json["usage"] = usage();
    json["timings"] = timingsJson(sumOfTimings());
    emit(json);
  }
  emitText("data: [DONE]\n\n");
}

Json OpenAiAnswer::whole() {
  Json json = head(wholeObject);
  json["service_tier"] = nullptr;
  Json list = Json::array();
  for (const Choice& choice : choices) list.push_back(choiceJson(choice));
  json["choices"] = std::move(list);
  json["usage"] = usage();
  json["seed"] = choices.front().seed.value_or(0);
  json["timings"] = timingsJson(sumOfTimings());
  if (params.verbose)
    json["__verbose"] = verboseJson(choices.front());
  return json;
}

Json OpenAiAnswer::verboseJson(const Choice& choice) const {
  return completionJson(service, params, choice, params.stream);
}

void TextAnswer::adjust(api::Request& request) const {
  const int64_t most = std::max(params.legacyLogprobs, params.nProbs > 0 ? params.nProbs : int64_t{-1});
  request.logprobs = static_cast<int32_t>(most);
  const int64_t ofPrompt = std::max(params.promptLogprobs, params.echo ? params.legacyLogprobs : int64_t{-1});
  request.promptLogprobs = static_cast<int32_t>(ofPrompt);
}

Json TextAnswer::logprobsJson(const std::vector<ReportedToken>& tokens, bool withPrompt, std::size_t offset) const {
  return reportsTokens ? legacyLogprobs(tokens, withPrompt, offset) : Json();
}

Json TextAnswer::emptyDelta(const Choice& choice) const {
  return {{"index", choice.index}, {"text", ""}, {"logprobs", nullptr}, {"finish_reason", nullptr}};
}

void TextAnswer::writePiece(Choice& choice, const Piece& piece) {
  Json delta = emptyDelta(choice);
  delta["text"] = piece.text;
  delta["logprobs"] = logprobsJson(piece.tokens, false, characters(choice.text) - characters(piece.text));
  Json json = chunk(Json::array({std::move(delta)}));
  if (params.timingsPerToken)
    json["timings"] = timingsJson(timingsNow(choice));
  emit(json);
}

void TextAnswer::writeFinish(Choice& choice) {
  Json delta = emptyDelta(choice);
  delta["finish_reason"] = finishReason(choice);
  Json json = chunk(Json::array({std::move(delta)}));
  json["timings"] = timingsJson(choice.timings);
  emit(json);
}

/// The prompt's tokens, the first one without a number.
std::vector<ReportedToken> TextAnswer::withFirst(const Choice& choice) const {
  std::vector<ReportedToken> tokens = {
      {choice.prompt.front(), std::string(tokenBytes(service.engine(), choice.prompt.front())), 0, {}}};
  tokens.insert(tokens.end(), choice.promptTokens.begin(), choice.promptTokens.end());
  return tokens;
}

Json TextAnswer::choiceJson(const Choice& choice) {
  const std::string prompt = params.echo ? promptText(service.engine(), choice.prompt) : std::string();
  std::vector<ReportedToken> tokens = params.echo ? withFirst(choice) : std::vector<ReportedToken>();
  tokens.insert(tokens.end(), choice.tokens.begin(), choice.tokens.end());
  Json json = {{"index", choice.index},
               {"text", prompt + choice.text},
               {"logprobs", logprobsJson(tokens, params.echo, 0)},
               {"finish_reason", finishReason(choice)}};
  if (params.promptLogprobs >= 0)
    json["prompt_logprobs"] = promptLogprobs(withFirst(choice));
  return json;
}

} // namespace llcuda::server
