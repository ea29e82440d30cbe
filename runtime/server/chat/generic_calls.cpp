// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/chat/generic_calls.h"

namespace llcuda::server {
namespace {

std::string dumped(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// A call in the record's format, if that is JSON, with words for what has to be filled in.
std::string exampleCall(const FormatRecord& record) {
  const std::string arguments = "{\"PARAMETER\": \"VALUE\"}";
  std::string text = record.section;
  for (const CallPart& part : record.call) {
    switch (part.kind) {
    case CallPart::Kind::kText:
      text += part.text;
      break;
    case CallPart::Kind::kName:
      text += "FUNCTION";
      break;
    case CallPart::Kind::kId:
      text += "ID";
      break;
    case CallPart::Kind::kIndex:
      text += std::to_string(record.firstIndex);
      break;
    case CallPart::Kind::kArguments:
      text += arguments;
      break;
    case CallPart::Kind::kObject:
      text += "{\"" + record.object.nameKey + "\": \"FUNCTION\", \"" + record.object.argumentsKey + "\": " + arguments +
              "}";
      break;
    }
  }
  return text + record.sectionEnd;
}

} // namespace

void setGenericCalls(FormatRecord& record) {
  record.generic = true;
  record.style = CallStyle::kJson;
  record.section = "{\"tool_calls\": [";
  record.separator = ", ";
  record.sectionEnd = "]}";
  record.call = {{CallPart::Kind::kObject}};
  record.object.nameKey = "name";
  record.object.argumentsKey = "arguments";
  record.parallel = true;
  record.toolRole = false;
}

std::string genericInstructions(const Json& tools, const FormatRecord& record) {
  std::string text = "These functions can be called:\n";
  for (const Json& tool : tools) text += dumped(tool.value("function", Json::object())) + "\n";
  return text + "\nTo call functions, answer with nothing but their calls in this form:\n" + exampleCall(record) +
         "\nThe results come with the next message. When no function is needed, answer in plain words.";
}

std::string genericCalls(const Json& toolCalls) {
  std::string text;
  for (const Json& call : toolCalls) {
    const Json function = call.value("function", Json::object());
    text += (text.empty() ? "{\"tool_calls\": [" : ", ") +
            ("{\"name\": " + dumped(function.value("name", Json(""))) +
             ", \"arguments\": " + dumped(function.value("arguments", Json::object())) + "}");
  }
  return text + "]}";
}

std::string genericResult(std::string_view name, std::string_view content) {
  return dumped({{"tool_result", {{"name", name}, {"content", content}}}});
}

} // namespace llcuda::server
