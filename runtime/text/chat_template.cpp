// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/chat_template.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "runtime/text/abi_result.h"

namespace llcuda::text {
namespace {

constexpr std::string_view kChatMl = R"({%- for message in messages -%}
{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%})";

constexpr std::string_view kLlama3 = R"({{- bos_token -}}
{%- for message in messages -%}
{{ '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' + message.content.strip() + '<|eot_id|>' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif -%})";

// The system message, which this family does not have, opens the first turn of the user.
constexpr std::string_view kGemma = R"({{- bos_token -}}
{%- set ns = namespace(prefix='') -%}
{%- for message in messages -%}
{%- if message.role == 'system' -%}
{%- set ns.prefix = message.content.strip() + '\n\n' -%}
{%- else -%}
{{ '<start_of_turn>' + ('model' if message.role == 'assistant' else message.role) + '\n' + ns.prefix
   + message.content.strip() + '<end_of_turn>\n' }}
{%- set ns.prefix = '' -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<start_of_turn>model\n' }}{%- endif -%})";

constexpr std::string_view kPhi3 = R"({%- for message in messages -%}
{{ '<|' + message.role + '|>\n' + message.content + '<|end|>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|assistant|>\n' }}{%- endif -%})";

constexpr std::string_view kMistral = R"({{- bos_token -}}
{%- set ns = namespace(prefix='') -%}
{%- for message in messages -%}
{%- if message.role == 'system' -%}
{%- set ns.prefix = message.content + '\n\n' -%}
{%- elif message.role == 'user' -%}
{{ '[INST] ' + ns.prefix + message.content + '[/INST]' }}
{%- set ns.prefix = '' -%}
{%- else -%}
{{ ' ' + message.content.strip() ~ eos_token }}
{%- endif -%}
{%- endfor -%})";

using Json = nlohmann::ordered_json; // templates see the order of keys

Json variablesOf(const ChatContext& context) {
  Json variables = {{"messages", Json::array()}, {"add_generation_prompt", context.addGenerationPrompt}};
  for (const ChatMessage& message : context.messages)
    variables["messages"].push_back({{"role", message.role}, {"content", message.content}});
  const std::pair<const char*, const std::string&> tokens[] = {{"bos_token", context.bosToken},
                                                               {"eos_token", context.eosToken},
                                                               {"unk_token", context.unknownToken},
                                                               {"pad_token", context.paddingToken}};
  for (const auto& [name, token] : tokens)
    if (!token.empty())
      variables[name] = token;
  return variables;
}

std::string dumped(const Json& variables) {
  return variables.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace

std::vector<BuiltinTemplate> builtinTemplates() {
  return {{"<|im_start|>", kChatMl},
          {"<|start_header_id|>", kLlama3},
          {"<start_of_turn>", kGemma},
          {"<|end|>", kPhi3},
          {"[INST]", kMistral}};
}

void ChatTemplate::Close::operator()(llcuda_text_template* handle) const {
  llcuda_text_template_close(handle);
}

Result<ChatTemplate> ChatTemplate::open(std::string_view source) {
  llcuda_text_template* handle = nullptr;
  llcuda_text_bytes message{};
  if (const int32_t status = llcuda_text_template_open(bytesOf(source), source.size(), &handle, &message))
    return takeError(status, message);
  return ChatTemplate(handle);
}

Result<std::string> ChatTemplate::render(const ChatContext& context) const {
  return renderJson(dumped(variablesOf(context)), context.now);
}

Result<std::string> ChatTemplate::render(std::string_view variables, const ChatContext& context) const {
  const Json given = Json::parse(variables, /*callback=*/nullptr, /*allow_exceptions=*/false);
  if (!given.is_object())
    return usageError("the variables of a chat template are not a JSON object");
  Json all = variablesOf(context);
  for (const auto& [name, value] : given.items()) all[name] = value;
  return renderJson(dumped(all), context.now);
}

Result<std::string> ChatTemplate::renderJson(std::string_view variables, int64_t now) const {
  llcuda_text_bytes rendered{};
  llcuda_text_bytes message{};
  if (const int32_t status =
          llcuda_text_template_render(handle.get(), bytesOf(variables), variables.size(), now, &rendered, &message))
    return takeError(status, message);
  return takeText(rendered);
}

} // namespace llcuda::text
