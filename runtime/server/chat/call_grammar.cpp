// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/chat/call_grammar.h"

#include "runtime/server/chat/json_scanner.h"
#include "runtime/server/chat/lark.h"
#include "runtime/server/chat/marks.h"
#include "runtime/server/chat/value_grammar.h"

namespace llcuda::server {
namespace {

using Kind = CallPart::Kind;
constexpr const char* kSpace = "/[ \\t\\r\\n]*/";

std::string idPattern(int length) {
  return "/[A-Za-z0-9]{" + std::to_string(length > 0 ? length : 9) + "}/";
}

/// {"name": "f", "arguments": {...}} with the keys and the order of the template.
std::string objectBody(Lark& lark, const FormatRecord& record, const ChatTool& tool) {
  const CallObject& object = record.object;
  const std::string arguments = lark.rule("arguments", lark.json(tool.parameters));
  if (object.nameIsKey)
    return jsonQuoted("{" + jsonQuoted(tool.name) + ": ") + " " + arguments + " \"}\"";
  const std::string key = jsonQuoted(object.idKey);
  const std::string id = object.idKey.empty() ? "" : object.idIsIndex ? "/[0-9]{1,3}/" : idPattern(record.idLength);
  std::string body = "\"{\" ";
  if (object.idFirst)
    body += jsonQuoted(key + ": \"") + " " + id + " \"\\\", \" ";
  body += jsonQuoted(jsonQuoted(object.nameKey) + ": " + jsonQuoted(tool.name) + ", " +
                     jsonQuoted(object.argumentsKey) + ": ") +
          " " + arguments + " ";
  if (!object.idFirst && !id.empty())
    body += jsonQuoted(", " + key + ": \"") + " " + id + " \"\\\"\" ";
  return body + "\"}\"";
}

/// A call of this tool without the call's first text.
std::string callBody(Lark& lark, const FormatRecord& record, const ChatTool& tool) {
  std::string body;
  for (std::size_t i = 0; i < record.call.size(); ++i) {
    const CallPart& part = record.call[i];
    if (i == 0 && part.kind == Kind::kText)
      continue;
    switch (part.kind) {
    case Kind::kText:
      body += lark.literal(part.text);
      break;
    case Kind::kName:
      body += jsonQuoted(tool.name);
      break;
    case Kind::kId:
      body += idPattern(record.idLength);
      break;
    case Kind::kIndex:
      body += "/[0-9]{1,3}/";
      break;
    case Kind::kArguments:
      body += argumentsRule(lark, record, tool.parameters);
      break;
    case Kind::kObject:
      body += objectBody(lark, record, tool);
      break;
    }
    body += ' ';
  }
  return lark.rule("call", body);
}

/// Calls from the text `opening` on, which is what is left of section and first call's text.
std::string calls(Lark& lark, const FormatRecord& record, const std::vector<ChatTool>& tools, std::string_view opening,
                  bool parallel) {
  std::string any;
  for (const ChatTool& tool : tools) any += (any.empty() ? "" : " | ") + callBody(lark, record, tool);
  const std::string call = lark.rule("any_call", any);
  const std::string first = record.call.front().kind == Kind::kText ? record.call.front().text : "";
  std::string result = lark.literal(opening) + " " + call;
  if (parallel && record.parallel)
    result += " (" + lark.literal(record.separator + first) + " " + call + ")*";
  return lark.rule("calls", result + " " + lark.literal(trimmedRight(record.sectionEnd)));
}

/// Reasoning in front of `body`: open already, or it may be opened.
ChatGrammar behindReasoning(Lark& lark, const FormatRecord& record, const std::string& body, bool mayReason,
                            bool insideReasoning) {
  if (insideReasoning)
    return {
        GrammarKind::kLark, lark.text(std::string(kSpace) + " " + body), {std::string(trimmed(record.reasoningEnd))}};
  if (!mayReason)
    return {GrammarKind::kLark, lark.text(body)};
  const std::string thought =
      lark.rule("reasoning", std::string(kSpace) + " " + lark.literal(trimmed(record.reasoning)) + " " +
                                 lark.textThrough(trimmed(record.reasoningEnd)) + " " + kSpace);
  return {GrammarKind::kLark, lark.text(thought + "? " + body)};
}

/// The response's constraint as a rule; none where Lark cannot hold it.
std::optional<std::string> responseRule(Lark& lark, const ChatGrammar& response) {
  switch (response.kind) {
  case GrammarKind::kJsonSchema:
    if (const Json schema = Json::parse(response.text, nullptr, false); !schema.is_discarded())
      return lark.rule("response", lark.json(schema));
    return std::nullopt;
  case GrammarKind::kJsonObject:
    return lark.rule("response", lark.json({{"type", "object"}}));
  case GrammarKind::kRegex:
    return lark.rule("response", "%regex " + Json({{"regex", response.text}}).dump());
  default:
    return std::nullopt;
  }
}

/// What begins a call and nothing else: a tag, or the key of the generic form.
std::string_view triggerOf(std::string_view opening) {
  if (opening.substr(0, 2) == "{\"")
    return opening.substr(0, opening.find(':'));
  const std::string_view tag = throughFirstTag(opening);
  const bool isTag =
      !tag.empty() && (tag.front() == '<' || tag.front() == '[') && (tag.back() == '>' || tag.back() == ']');
  return isTag ? tag : std::string_view();
}

} // namespace

std::optional<ChatGrammar> callGrammar(const CallGrammarRequest& request) {
  const FormatRecord& record = request.record;
  Lark lark(request.access);
  const bool mayReason = request.mayReason && !trimmed(record.reasoning).empty();
  const std::string first = record.call.front().kind == Kind::kText ? record.call.front().text : "";
  const std::string opening(trimmedLeft(record.section + first));
  if (request.forced)
    return behindReasoning(lark, record, calls(lark, record, request.tools, opening, request.parallel), mayReason,
                           request.insideReasoning);
  if (request.response) {
    const auto response = responseRule(lark, *request.response);
    if (!response)
      return std::nullopt;
    const std::string either =
        "(" + calls(lark, record, request.tools, opening, request.parallel) + " | " + *response + ")";
    return behindReasoning(lark, record, either, mayReason, request.insideReasoning);
  }
  const std::string_view trigger = triggerOf(opening);
  if (trigger.empty())
    return std::nullopt;
  const std::string rest = opening.substr(trigger.size());
  return ChatGrammar{GrammarKind::kLark,
                     lark.text(calls(lark, record, request.tools, rest, request.parallel)),
                     {std::string(trigger)}};
}

ChatGrammar responseGrammar(const FormatRecord& record, const TemplateAccess& access, const ChatGrammar& response,
                            bool mayReason, bool insideReasoning) {
  if (insideReasoning) {
    ChatGrammar behind = response;
    behind.triggers = {std::string(trimmed(record.reasoningEnd))};
    if (response.kind != GrammarKind::kJsonSchema && response.kind != GrammarKind::kJsonObject)
      return behind;
  }
  if (!insideReasoning && (!mayReason || trimmed(record.reasoning).empty()))
    return response;
  Lark lark(access);
  const auto rule = responseRule(lark, response);
  return rule ? behindReasoning(lark, record, *rule, mayReason, insideReasoning) : response;
}

} // namespace llcuda::server
