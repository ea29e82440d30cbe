// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/chat_prompt.h"

#include <ctime>

#include "runtime/server/api/constraint.h"

namespace llcuda::server {
namespace {

/// "30 Nov 2026", which some templates ask for by this name; llama-server gives it too.
std::string dateString() {
  const std::time_t time = std::time(nullptr);
  std::tm local = {};
  ::localtime_r(&time, &local);
  char text[32] = {};
  return {text, std::strftime(text, sizeof(text), "%d %b %Y", &local)};
}

} // namespace

Checked<ChatPrompt> chatPromptOf(const Params& params, const Service& service) {
  const ChatFormat* format = service.chatFormat();
  if (!format)
    return ApiError{501, service.chatFault()};
  ChatTurn turn{.messages = params.messages,
                .tools = params.tools,
                .toolChoice = params.toolChoice,
                .parallelToolCalls = params.parallelToolCalls,
                .templateKwargs = params.templateKwargs,
                .reasoningEffort = params.reasoningEffort,
                .reasoningFormat =
                    params.reasoningFormat == "none" ? ReasoningFormat::kNone : ReasoningFormat::kDeepseek,
                .addGenerationPrompt = params.addGenerationPrompt,
                .continueFinalMessage = params.continueFinalMessage,
                .response = constraintOf(params)};
  if (!turn.templateKwargs.is_object())
    turn.templateKwargs = Json::object();
  if (!turn.templateKwargs.contains("date_string"))
    turn.templateKwargs["date_string"] = dateString();
  if (params.reasoningBudget == 0)
    turn.enableThinking = false;
  auto prompt = format->prepare(turn);
  if (!prompt) // what the template refuses is the request's fault
    return prompt.error().status == LLCUDA_UNSUPPORTED ? ApiError{400, prompt.error().message, "messages"}
                                                       : errorOf(prompt.error());
  return std::move(*prompt);
}

Checked<std::string> chatTextOf(const Params& params, const Service& service) {
  const auto prompt = chatPromptOf(params, service);
  if (!prompt)
    return prompt.error();
  return (*prompt).text;
}

Checked<std::vector<int32_t>> chatTokensOf(const ChatPrompt& prompt, const Service& service) {
  const auto tokens = service.engine().tokenize(prompt.text, LLCUDA_RENDERED_CHAT);
  if (!tokens)
    return errorOf(tokens.error());
  if ((*tokens).empty())
    return fieldError("messages", "give an empty prompt by the model's template");
  return *tokens;
}

} // namespace llcuda::server
