// SPDX-License-Identifier: Apache-2.0
// A model's chat format: how its template writes a conversation and how its answers are read.
//
//   auto format = ChatFormat::find(templateOf(engine));              // once a model; tens of renderings
//   auto prompt = format->prepare(turn);                             // once a request: text, grammar
//   AnswerParser parser(*prompt);                                    // once an answer (answer_parser.h)
//   for (auto& delta : parser.push(piece)) ...                       // pieces of the answer's text, cut anywhere
//   for (auto& delta : parser.finish()) ...
//
// Nothing here knows a model's name: the format is read off what the template writes for conversations that differ in
// one thing. Errors of a request are LLCUDA_USAGE and begin with "Field 'messages[1].role': ".
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "llcuda/llcuda.hpp"
#include "runtime/server/chat/format_record.h"

namespace llcuda::server {

using Json = nlohmann::ordered_json;

/// What a format is found by and prompts are made with. Both are called by many threads at once.
struct TemplateAccess {
  /// The template's text for these variables (`messages`, `tools`, `add_generation_prompt`, ...).
  std::function<api::Expected<std::string>(const Json& variables)> render;
  /// The id of the special token of this very name, which a grammar has to name as a token; -1: there is none.
  /// Empty: there are none at all.
  std::function<int32_t(std::string_view name)> specialToken;
};

/// Access to a template of an engine, which has to outlive it; "" is the plain one.
TemplateAccess templateOf(const api::Engine& engine, std::string name = {});

/// Where the reasoning of an answer goes: to its own deltas, or it stays in the content, with its markers.
enum class ReasoningFormat { kDeepseek, kNone };

/// As llcuda_grammar_kind.
enum class GrammarKind { kJsonSchema = 1, kJsonObject, kRegex, kLark, kGbnf };

/// A constraint of an answer, for llcuda_grammar_create.
struct ChatGrammar {
  GrammarKind kind = GrammarKind::kLark;
  std::string text;
  std::vector<std::string> triggers = {}; ///< it applies from the end of the first of these; none: from the start
};

/// A request's share that a chat is made of, as its fields came: `prepare` checks them.
struct ChatTurn {
  Json messages = {};   ///< OpenAI's messages
  Json tools = {};      ///< OpenAI's tools; null or empty: none
  Json toolChoice = {}; ///< "none", "auto", "required" or an object of type function or allowed_tools; null: auto
  bool parallelToolCalls = true;           ///< false: at most one call
  Json templateKwargs = {};                ///< variables for the template; null: none
  std::optional<bool> enableThinking = {}; ///< unset: what templateKwargs say, else true
  std::string reasoningEffort = {};        ///< "": unsaid; "none" is enableThinking false
  ReasoningFormat reasoningFormat = ReasoningFormat::kDeepseek;
  std::optional<bool> addGenerationPrompt = {}; ///< unset: true, unless the final message is continued
  std::optional<bool> continueFinalMessage =
      {};                                   ///< unset: true where the last message is the assistant's, without calls
  std::optional<ChatGrammar> response = {}; ///< what the content has to be: response_format, grammar
};

/// A function that an answer may call.
struct ChatTool {
  std::string name;
  Json parameters; ///< its JSON schema, an object
};

/// What a request gives: the text to continue, what constrains the answer, and how to read it.
struct ChatPrompt {
  std::string text; ///< for llcuda_tokenize with LLCUDA_RENDERED_CHAT
  std::optional<ChatGrammar> grammar;
  bool opensReasoning = false; ///< the text ends inside of reasoning
  bool specialText = false;    ///< markers are special tokens: the request's special_text has to be 1
  bool parallel = true;
  ReasoningFormat reasoningFormat = ReasoningFormat::kDeepseek;
  std::vector<ChatTool> tools; ///< that may be called; empty: nothing in the answer is a call
  std::shared_ptr<const FormatRecord> format;
};

class ChatFormat {
public:
  /// The error is the template's own where it renders no conversation at all.
  static api::Expected<ChatFormat> find(TemplateAccess access);

  const FormatRecord& record() const { return *found; }

  /// LLCUDA_USAGE: a field that is wrong, or a conversation that the template refuses.
  api::Expected<ChatPrompt> prepare(const ChatTurn& turn) const;

private:
  ChatFormat(TemplateAccess access, FormatRecord record)
      : access(std::move(access)), found(std::make_shared<const FormatRecord>(std::move(record))) {}

  TemplateAccess access;
  std::shared_ptr<const FormatRecord> found;
};

} // namespace llcuda::server
