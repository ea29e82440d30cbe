// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-serve/named_templates.h"

namespace llcuda::serve {
namespace {

struct NamedTemplate {
  std::string_view name, source;
};

constexpr NamedTemplate kTemplates[] = {
    {"chatml",
     "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
     "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"},
    {"llama3", "{% for message in messages %}<|start_header_id|>{{ message.role }}<|end_header_id|>\n\n"
               "{{ message.content | trim }}<|eot_id|>{% endfor %}"
               "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"},
    // Gemma has no system turn: its text stands before the first one of the user.
    {"gemma", "{% set before = namespace(text='') %}{% for message in messages %}{% if message.role == 'system' %}"
              "{% set before.text = message.content | trim ~ '\n\n' %}{% else %}<start_of_turn>"
              "{{ 'model' if message.role == 'assistant' else message.role }}\n"
              "{% if message.role == 'user' %}{{ before.text }}{% set before.text = '' %}{% endif %}"
              "{{ message.content | trim }}<end_of_turn>\n{% endif %}{% endfor %}"
              "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"},
    {"phi3", "{% for message in messages %}<|{{ message.role }}|>\n{{ message.content }}<|end|>\n{% endfor %}"
             "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"},
    {"command-r",
     "{% for message in messages %}<|START_OF_TURN_TOKEN|>{% if message.role == 'assistant' %}<|CHATBOT_TOKEN|>"
     "{% elif message.role == 'system' %}<|SYSTEM_TOKEN|>{% else %}<|USER_TOKEN|>{% endif %}"
     "{{ message.content | trim }}<|END_OF_TURN_TOKEN|>{% endfor %}"
     "{% if add_generation_prompt %}<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>{% endif %}"},
};

} // namespace

std::optional<std::string_view> namedTemplate(std::string_view name) {
  for (const NamedTemplate& known : kTemplates)
    if (known.name == name)
      return known.source;
  return std::nullopt;
}

std::string namesOfTemplates() {
  std::string names;
  for (const NamedTemplate& known : kTemplates) names += (names.empty() ? "" : ", ") + std::string(known.name);
  return names;
}

} // namespace llcuda::serve
