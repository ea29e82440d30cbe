// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/completion_answer.h"

#include "runtime/server/api/token_text.h"

namespace llcuda::server {
namespace {

std::string_view stopType(const Choice& choice) {
  switch (choice.stopReason) {
  case LLCUDA_STOP_TOKEN:
    return "eos";
  case LLCUDA_STOP_STRING:
    return "word";
  case LLCUDA_STOP_LENGTH:
  case LLCUDA_STOP_CONTEXT:
    return "limit";
  default:
    return "none";
  }
}

Json settingsOf(const Service& service, Params params, const Choice& choice) {
  params.seed = choice.seed;
  if (params.ignoreEos)
    for (const int32_t token : service.stopTokens()) params.logitBias.push_back({.token = token, .forbids = true});
  return generationSettings(params);
}

Json idsOf(const std::vector<ReportedToken>& tokens) {
  Json ids = Json::array();
  for (const ReportedToken& token : tokens) ids.push_back(token.id);
  return ids;
}

Json probabilities(const std::vector<ReportedToken>& tokens, const Params& params) {
  Json list = Json::array();
  for (const ReportedToken& token : tokens) list.push_back(tokenJson(token, params.postSamplingProbs));
  return list;
}

/// The members that `paths` name: "a/b" is member b of member a.
Json selected(const Json& object, const std::vector<std::string>& paths) {
  Json result = Json::object();
  for (const std::string& path : paths) {
    const Json* value = &object;
    for (std::size_t begin = 0; value && begin <= path.size();) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      const auto found = value->is_object() ? value->find(path.substr(begin, end - begin)) : value->end();
      value = value->is_object() && found != value->end() ? &*found : nullptr;
      begin = end + 1;
    }
    if (value)
      result[path] = *value;
  }
  return result;
}

} // namespace

Json completionJson(const Service& service, const Params& params, const Choice& choice, bool isStreamed) {
  Json json = {{"index", choice.index},
               {"content", isStreamed ? std::string() : choice.text},
               {"tokens", isStreamed || !params.returnTokens ? Json::array() : idsOf(choice.tokens)},
               {"id_slot", -1},
               {"stop", true},
               {"model", service.options().model},
               {"tokens_predicted", choice.generated},
               {"tokens_evaluated", choice.prompt.size()},
               {"generation_settings", settingsOf(service, params, choice)},
               {"prompt", promptText(service.engine(), choice.prompt)},
               {"has_new_line", choice.text.find('\n') != std::string::npos},
               {"truncated", choice.stopReason == LLCUDA_STOP_CONTEXT},
               {"stop_type", stopType(choice)},
               {"stopping_word", choice.stopWord},
               {"tokens_cached", choice.prompt.size() + choice.generated},
               {"timings", timingsJson(choice.timings)}};
  if (params.nProbs > 0 && !isStreamed)
    json["completion_probabilities"] = probabilities(choice.tokens, params);
  return params.responseFields.empty() ? json : selected(json, params.responseFields);
}

void CompletionAnswer::adjust(api::Request& request) const {
  if (params.nProbs > 0)
    request.logprobs = static_cast<int32_t>(params.nProbs);
}

Json CompletionAnswer::part(const Choice& choice) const {
  return {{"index", choice.index},
          {"content", ""},
          {"tokens", Json::array()},
          {"stop", false},
          {"id_slot", -1},
          {"tokens_predicted", choice.generated},
          {"tokens_evaluated", choice.prompt.size()}};
}

void CompletionAnswer::writeProgress(Choice& choice, const Progress& progress) {
  Json chunk = part(choice);
  if (params.timingsPerToken) {
    // What is computed so far, not what will be.
    Timings timings = choice.timings;
    timings.promptTokens = progress.computed;
    timings.promptMs = progress.milliseconds;
    timings.generated = 0;
    chunk["timings"] = timingsJson(timings);
  }
  chunk["prompt_progress"] = progressJson(progress);
  emit(chunk);
}

void CompletionAnswer::writePiece(Choice& choice, const Piece& piece) {
  Json chunk = part(choice);
  chunk["content"] = piece.text;
  chunk["tokens"] = idsOf(piece.tokens);
  if (params.nProbs > 0)
    chunk["completion_probabilities"] = probabilities(piece.tokens, params);
  if (params.timingsPerToken)
    chunk["timings"] = timingsJson(timingsNow(choice));
  emit(chunk);
}

void CompletionAnswer::writeFinish(Choice& choice) {
  emit(completionJson(service, params, choice, true));
}

Json CompletionAnswer::whole() {
  if (!isList)
    return completionJson(service, params, choices.front(), false);
  Json list = Json::array();
  for (const Choice& choice : choices) list.push_back(completionJson(service, params, choice, false));
  return list;
}

} // namespace llcuda::server
