// SPDX-License-Identifier: Apache-2.0
// A request to a prompt.
#include "runtime/server/chat/chat_format.h"

#include <algorithm>

#include "runtime/server/chat/call_grammar.h"
#include "runtime/server/chat/marks.h"
#include "runtime/server/chat/messages.h"
#include "runtime/server/chat/probe.h"

namespace llcuda::server {
namespace {

bool endsWith(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && text.substr(text.size() - with.size()) == with;
}

/// Whether the last message is to be gone on with; an error where the two fields say both.
api::Expected<bool> continues(const ChatTurn& turn) {
  const bool own = turn.messages.is_array() && !turn.messages.empty() && turn.messages.back().is_object() &&
                   turn.messages.back().value("role", Json()) == "assistant";
  const auto hasCalls = [&] {
    const Json calls = turn.messages.back().value("tool_calls", Json());
    return calls.is_array() && !calls.empty();
  };
  if (turn.continueFinalMessage.value_or(false)) {
    if (turn.addGenerationPrompt.value_or(false))
      return wrongField("continue_final_message", "it excludes add_generation_prompt");
    if (!own || hasCalls())
      return wrongField("continue_final_message", "the last message is not an answer that could be gone on with");
  }
  const bool result = turn.continueFinalMessage.value_or(!turn.addGenerationPrompt && own && !hasCalls());
  if (result && turn.messages.size() > 1 && turn.messages[turn.messages.size() - 2].is_object() &&
      turn.messages[turn.messages.size() - 2].value("role", Json()) == "assistant")
    return wrongField("messages", "two messages of the assistant at the end: only one can be gone on with");
  return result;
}

/// What templates are told of thinking. Where nobody says anything it is on.
bool setThinking(const ChatTurn& turn, const FormatRecord& record, Json& variables) {
  std::optional<bool> said = turn.enableThinking;
  if (!said && turn.reasoningEffort == "none")
    said = false;
  variables["enable_thinking"] = said.value_or(true);
  if (said && !record.thinkingVariable.empty())
    variables[record.thinkingVariable] = *said;
  if (!turn.reasoningEffort.empty() && turn.reasoningEffort != "none")
    variables["reasoning_effort"] = turn.reasoningEffort;
  if (turn.templateKwargs.is_object())
    for (const auto& [name, value] : turn.templateKwargs.items())
      if (name != "messages" && name != "tools" && name != "add_generation_prompt")
        variables[name] = value;
  const auto on = [&](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() || !found->is_boolean() || found->get<bool>();
  };
  return on("enable_thinking") && (record.thinkingVariable.empty() || on(record.thinkingVariable));
}

/// Goes on with an answer: its reasoning and its content behind the generation prompt.
void appendAnswer(std::string& text, const Json& message, const std::string& content, const FormatRecord& record,
                  bool& opensReasoning) {
  const std::string thought = message.value("reasoning_content", Json()).is_string()
                                  ? message["reasoning_content"].get<std::string>()
                                  : std::string();
  const bool marked = !trimmed(record.reasoningEnd).empty();
  if (!thought.empty() && marked) {
    if (!opensReasoning)
      text += record.reasoning;
    text += thought;
    opensReasoning = content.empty();
    if (!opensReasoning)
      text += record.reasoningEnd;
  } else if (opensReasoning && !content.empty()) {
    text += std::string(trimmedLeft(record.reasoningEnd));
    opensReasoning = false;
  }
  if (!content.empty())
    text += record.contentBegin + content;
}

std::string textOf(const Json& content) {
  if (content.is_string())
    return content.get<std::string>();
  std::string text;
  if (content.is_array())
    for (const Json& part : content)
      if (part.is_object() && part.contains("text") && part["text"].is_string())
        text += part["text"].get<std::string>();
  return text;
}

} // namespace

api::Expected<ChatPrompt> ChatFormat::prepare(const ChatTurn& turn) const {
  const FormatRecord& record = *found;
  if (!turn.templateKwargs.is_null() && !turn.templateKwargs.is_object())
    return wrongField("chat_template_kwargs", "it has to be an object");
  auto tools = readTools(turn.tools);
  if (!tools)
    return tools.error();
  auto choice = readToolChoice(turn.toolChoice, std::move(*tools));
  if (!choice)
    return choice.error();
  const bool forced = choice->mode == ToolMode::kRequired;
  if (forced && turn.response)
    return wrongField("response_format", "it excludes a tool_choice that asks for a call");
  const auto going = continues(turn);
  if (!going)
    return going.error();

  const bool told = !choice->tools.empty();
  const bool byTemplate = record.tools && !record.generic;
  auto messages = templateMessages(turn.messages, record, told && !byTemplate ? turn.tools : Json());
  if (!messages)
    return messages.error();
  Json last;
  if (*going) {
    last = messages->back();
    messages->erase(messages->size() - 1);
  }
  Json variables = {{"messages", std::move(*messages)}};
  if (told && byTemplate)
    variables["tools"] = turn.tools;
  variables["add_generation_prompt"] = *going || turn.addGenerationPrompt.value_or(true);
  const bool thinking = setThinking(turn, record, variables);
  addPlainVariables(variables, record);
  auto text = access.render(variables);
  if (!text && variables.contains("tools")) { // some templates read what a tool need not have
    variables["tools"] = completedTools(turn.tools);
    text = access.render(variables);
  }
  if (!text)
    return api::Error{LLCUDA_USAGE, "Field 'messages': " + text.error().message};

  ChatPrompt prompt;
  prompt.text = std::move(*text);
  prompt.format = found;
  prompt.reasoningFormat = turn.reasoningFormat;
  prompt.parallel = turn.parallelToolCalls;
  prompt.tools = std::move(choice->tools);
  const std::string_view opening = trimmed(record.reasoning);
  prompt.opensReasoning = !opening.empty() && endsWith(trimmedRight(prompt.text), opening);
  const bool closed = !opening.empty() && endsWith(trimmedRight(prompt.text), trimmed(record.reasoningEnd));
  if (*going)
    appendAnswer(prompt.text, last, textOf(last.value("content", Json())), record, prompt.opensReasoning);
  const bool mayReason = thinking && !closed && !*going;
  if (!prompt.tools.empty())
    prompt.grammar = callGrammar({.record = record,
                                  .access = access,
                                  .tools = prompt.tools,
                                  .forced = forced,
                                  .parallel = turn.parallelToolCalls,
                                  .mayReason = mayReason,
                                  .insideReasoning = prompt.opensReasoning,
                                  .response = turn.response ? &*turn.response : nullptr});
  if (turn.response && !prompt.grammar)
    prompt.grammar = responseGrammar(record, access, *turn.response, mayReason, prompt.opensReasoning);
  prompt.specialText = !prompt.tools.empty() || !opening.empty() || !record.contentBegin.empty();
  return prompt;
}

} // namespace llcuda::server
