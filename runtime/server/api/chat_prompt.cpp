// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/chat_prompt.h"

#include "runtime/server/api/constraint.h"

namespace llcuda::server {

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
