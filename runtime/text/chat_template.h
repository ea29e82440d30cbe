// SPDX-License-Identifier: Apache-2.0
// Chat templates: messages to the one text that a model continues.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

struct llcuda_text_template;

namespace llcuda::text {

struct ChatMessage {
  std::string role; ///< system, user, assistant
  std::string content;
};

struct ChatContext {
  std::vector<ChatMessage> messages = {};
  bool addGenerationPrompt = true; ///< end with the opening of the assistant's turn
  std::string bosToken;            ///< empty, as the next ones: the model has none, and the template sees none
  std::string eosToken = {};
  std::string unknownToken = {};
  std::string paddingToken = {};
  int64_t now = 0; ///< seconds since 1970, for templates that write the date
};

/// A Jinja template, rendered as transformers renders it: `rust/src/jinja`. `tools` and `documents` that nobody gave
/// are none, and not defined either: a template sees that nothing was given whichever it asks for. A hostile template
/// ends with an error: steps, output and nesting are limited, and it reaches nothing but its context. May be used by
/// several threads at once.
class ChatTemplate {
public:
  static Result<ChatTemplate> open(std::string_view source);

  Result<std::string> render(const ChatContext& context) const;
  /// As above with more variables: `variables` is a JSON object (`messages`, `tools`, `enable_thinking`, ...), which
  /// goes before what `context` says. The order of keys stays. kUsage: not a JSON object.
  Result<std::string> render(std::string_view variables, const ChatContext& context) const;

private:
  struct Close {
    void operator()(llcuda_text_template* handle) const;
  };
  explicit ChatTemplate(llcuda_text_template* handle) : handle(handle) {}
  Result<std::string> renderJson(std::string_view variables, int64_t now) const;

  std::unique_ptr<llcuda_text_template, Close> handle;
};

/// A family of chat models: the token that only it has, and its template.
struct BuiltinTemplate {
  std::string_view token;
  std::string_view source;
};
/// In the order in which they are tried.
std::vector<BuiltinTemplate> builtinTemplates();

/// The template of a family for a model that came without one, chosen by the special tokens that its vocabulary has
/// (`has` answers for the text of a token); empty when no family fits.
template <typename HasToken>
std::string_view builtinChatTemplate(const HasToken& has) {
  for (const BuiltinTemplate& builtin : builtinTemplates())
    if (has(builtin.token))
      return builtin.source;
  return {};
}

} // namespace llcuda::text
