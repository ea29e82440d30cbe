// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/chat_answer.h"

#include "runtime/server/chat/marks.h"

namespace llcuda::server {
namespace {

/// A call's first delta has no arguments, and id, type and name stand in it alone: clients lose what comes with a name.
Json deltaJson(const Delta& delta) {
  switch (delta.kind) {
  case Delta::Kind::kContent:
    return {{"content", delta.text}};
  case Delta::Kind::kReasoning:
    return {{"reasoning_content", delta.text}};
  case Delta::Kind::kCallBegin:
    return {{"tool_calls", Json::array({{{"index", delta.call},
                                         {"id", delta.id},
                                         {"type", "function"},
                                         {"function", {{"name", delta.name}, {"arguments", ""}}}}})}};
  case Delta::Kind::kCallArguments:
    return {{"tool_calls", Json::array({{{"index", delta.call}, {"function", {{"arguments", delta.text}}}}})}};
  }
  return Json::object();
}

} // namespace

ChatAnswer::ChatAnswer(Service& service, std::shared_ptr<Reply> reply, Params params, ChatPrompt prompt)
    : OpenAiAnswer(service, std::move(reply), std::move(params), "chatcmpl-", "chat.completion.chunk",
                   "chat.completion"),
      prompt(std::move(prompt)) {
  for (int64_t i = 0; i < this->params.n; ++i) readings.push_back({AnswerParser(this->prompt)});
}

void ChatAnswer::adjust(api::Request& request) const {
  if (params.logprobs)
    request.logprobs = static_cast<int32_t>(params.topLogprobs);
  else if (params.nProbs > 0)
    request.logprobs = static_cast<int32_t>(params.nProbs);
  request.specialText |= prompt.specialText;
  const FormatRecord& format = *prompt.format;
  if (params.reasoningBudget < 0 || trimmed(format.reasoningEnd).empty())
    return;
  request.reasoningBudget = static_cast<int32_t>(params.reasoningBudget);
  request.reasoningStart = prompt.opensReasoning ? std::string() : std::string(trimmed(format.reasoning));
  request.reasoningEnd = trimmed(format.reasoningEnd);
  request.reasoningMessage = params.reasoningMessage;
}

Json ChatAnswer::emptyDelta(const Choice& choice) const {
  return {{"index", choice.index}, {"delta", Json::object()}, {"logprobs", nullptr}, {"finish_reason", nullptr}};
}

/// Once for each choice, in front of all else. OpenAI sends "" as content, llama-server null; clients take both.
void ChatAnswer::writeRole(const Choice& choice) {
  if (std::exchange(readings[choice.index].hasRole, true))
    return;
  Json json = emptyDelta(choice);
  json["delta"] = {{"role", "assistant"}, {"content", nullptr}};
  emit(chunk(Json::array({std::move(json)})));
}

void ChatAnswer::writeDeltas(const Choice& choice, const std::vector<Delta>& deltas) {
  for (const Delta& delta : deltas) {
    Json json = emptyDelta(choice);
    json["delta"] = deltaJson(delta);
    if (reportsTokens)
      json["logprobs"] = chatLogprobs(std::exchange(readings[choice.index].tokens, {}), params.postSamplingProbs);
    Json whole = chunk(Json::array({std::move(json)}));
    if (params.timingsPerToken)
      whole["timings"] = timingsJson(timingsNow(choice));
    emit(whole);
  }
}

void ChatAnswer::writeProgress(Choice& choice, const Progress& progress) {
  writeRole(choice);
  OpenAiAnswer::writeProgress(choice, progress);
}

void ChatAnswer::writePiece(Choice& choice, const Piece& piece) {
  writeRole(choice);
  Reading& reading = readings[choice.index];
  reading.tokens.insert(reading.tokens.end(), piece.tokens.begin(), piece.tokens.end());
  writeDeltas(choice, reading.parser.push(piece.text));
}

void ChatAnswer::writeFinish(Choice& choice) {
  writeRole(choice);
  Reading& reading = readings[choice.index];
  writeDeltas(choice, reading.parser.finish());
  Json json = emptyDelta(choice);
  json["finish_reason"] = finishReasonOf(choice, reading.parser.calls());
  Json whole = chunk(Json::array({std::move(json)}));
  whole["timings"] = timingsJson(choice.timings);
  if (params.verbose)
    whole["__verbose"] = verboseJson(choice);
  emit(whole);
}

Json ChatAnswer::finishReasonOf(const Choice& choice, std::size_t calls) const {
  const Json reason = finishReason(choice);
  return reason == "stop" && calls > 0 ? Json("tool_calls") : reason;
}

Json ChatAnswer::choiceJson(const Choice& choice) {
  Json message = parsedMessage(prompt, choice.text);
  message["refusal"] = nullptr;
  const std::size_t calls = message.contains("tool_calls") ? message["tool_calls"].size() : 0;
  return {{"index", choice.index},
          {"message", std::move(message)},
          {"logprobs", reportsTokens ? chatLogprobs(choice.tokens, params.postSamplingProbs) : Json()},
          {"finish_reason", finishReasonOf(choice, calls)}};
}

} // namespace llcuda::server
