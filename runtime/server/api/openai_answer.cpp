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

Json TextAnswer::choiceJson(const Choice& choice) {
  std::vector<ReportedToken> tokens = choice.promptTokens;
  tokens.insert(tokens.end(), choice.tokens.begin(), choice.tokens.end());
  const std::string prompt = params.echo ? promptText(service.engine(), choice.prompt) : std::string();
  return {{"index", choice.index},
          {"text", prompt + choice.text},
          {"logprobs", logprobsJson(params.echo ? tokens : choice.tokens, params.echo, 0)},
          {"finish_reason", finishReason(choice)}};
}

} // namespace llcuda::server
