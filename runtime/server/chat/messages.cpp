// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/chat/messages.h"

#include <optional>

#include "runtime/server/chat/generic_calls.h"

namespace llcuda::server {
namespace {

constexpr std::string_view kJoin = "\n\n"; // between the parts of a content

std::string stringOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The text of a part; an error where it is none.
api::Expected<std::string> partText(const Json& part, const std::string& field) {
  if (part.is_string())
    return part.get<std::string>();
  const std::string type = part.is_object() ? stringOf(part, "type") : "";
  for (const auto& [known, key] : {std::pair("text", "text"), std::pair("input_text", "text"),
                                   std::pair("output_text", "text"), std::pair("refusal", "refusal")})
    if (type == known) {
      if (!part.contains(key) || !part[key].is_string())
        return wrongField(field + "." + key, "it has to be a string");
      return stringOf(part, key);
    }
  if (type.empty())
    return wrongField(field, "a part is an object with a type, such as {\"type\": \"text\", \"text\": \"...\"}");
  return wrongField(field + ".type", "'" + type + "' is not supported: the model reads text only");
}

/// A content as one string; none where it is null or not there.
api::Expected<std::optional<std::string>> contentText(const Json& message, const std::string& field) {
  const auto content = message.find("content");
  if (content == message.end() || content->is_null())
    return std::optional<std::string>();
  if (content->is_string())
    return std::optional(content->get<std::string>());
  if (!content->is_array())
    return wrongField(field + ".content", "it has to be a string or an array of parts");
  std::string text;
  for (std::size_t i = 0; i < content->size(); ++i) {
    auto part = partText((*content)[i], field + ".content[" + std::to_string(i) + "]");
    if (!part)
      return part.error();
    text += (i > 0 ? std::string(kJoin) : "") + *part;
  }
  return std::optional(text);
}

/// An id of the length that the template asks for; the same for the same id.
std::string fittingId(const std::string& id, int length) {
  if (length == 0 || id.size() == static_cast<std::size_t>(length))
    return id;
  static constexpr std::string_view kLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  uint64_t hash = 14695981039346656037u; // FNV-1a
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  std::string result;
  for (int i = 0; i < length; ++i, hash /= kLetters.size()) result += kLetters[hash % kLetters.size()];
  return result;
}

class Messages {
public:
  Messages(const FormatRecord& record, const Json& tools) : record(record), tools(tools) {}

  api::Expected<Json> read(const Json& messages) {
    if (!messages.is_array())
      return wrongField("messages", "it has to be an array");
    if (messages.empty())
      return wrongField("messages", "it is empty");
    if (!tools.is_null())
      system = genericInstructions(tools, record);
    for (std::size_t i = 0; i < messages.size(); ++i)
      if (auto error = add(messages[i], "messages[" + std::to_string(i) + "]"))
        return *error;
    flushSystem();
    return std::move(result);
  }

private:
  using Failure = std::optional<api::Error>;

  Failure add(const Json& message, const std::string& field) {
    if (!message.is_object())
      return wrongField(field, "it has to be an object");
    std::string role = stringOf(message, "role");
    if (role.empty())
      return wrongField(field + ".role", "it has to be a string such as system, user, assistant or tool");
    auto content = contentText(message, field);
    if (!content)
      return content.error();
    if (role == "developer" && !record.developerRole)
      role = "system";
    if (role == "function")
      role = "tool";
    Json written = message;
    written["role"] = role;
    if (role == "assistant")
      return addAssistant(std::move(written), *content, field);
    if (!*content)
      return wrongField(field + ".content", "it is missing");
    if (role == "tool")
      return addResult(std::move(written), **content, field);
    if (role == "system" && (!record.systemRole || !tools.is_null())) {
      system += (system.empty() ? "" : std::string(kJoin)) + **content;
      return std::nullopt;
    }
    push(std::move(written), **content);
    return std::nullopt;
  }

  /// System text that waits goes into a message of its own, or in front of the user's words.
  void flushSystem() {
    if (system.empty())
      return;
    const std::string text = std::exchange(system, {});
    push({{"role", record.systemRole ? "system" : "user"}}, text);
  }

  void push(Json message, const std::string& content) {
    std::string text = content;
    if (!system.empty()) {
      if (record.systemRole || message["role"] != "user")
        flushSystem();
      else
        text = std::exchange(system, {}) + std::string(kJoin) + text;
    }
    // A generic format's results are the user's words, and turns alternate.
    if (record.generic && message["role"] == "user" && !result.empty() && result.back()["role"] == "user" &&
        lastIsResult) {
      result.back()["content"] = result.back()["content"].get<std::string>() + std::string(kJoin) + text;
      return;
    }
    message["content"] = record.contentParts ? Json::array({{{"type", "text"}, {"text", text}}}) : Json(text);
    lastIsResult = false;
    result.push_back(std::move(message));
  }

  Failure addResult(Json message, const std::string& content, const std::string& field) {
    const auto id = message.find("tool_call_id");
    if (id != message.end() && !id->is_string() && !id->is_null())
      return wrongField(field + ".tool_call_id", "it has to be a string");
    const std::string given = stringOf(message, "tool_call_id");
    for (const auto& [known, name] : names)
      if (known == given && !message.contains("name"))
        message["name"] = name;
    if (!record.toolRole) {
      push({{"role", "user"}}, genericResult(stringOf(message, "name"), content));
      lastIsResult = true;
      return std::nullopt;
    }
    if (!given.empty())
      message["tool_call_id"] = fittingId(given, record.idLength);
    push(std::move(message), content);
    return std::nullopt;
  }

  Failure addAssistant(Json message, const std::optional<std::string>& content, const std::string& field) {
    const auto calls = message.find("tool_calls");
    const bool hasCalls = calls != message.end() && !calls->is_null() && !(calls->is_array() && calls->empty());
    const std::string thought = reasoningOf(message);
    if (!content && !hasCalls && thought.empty())
      return wrongField(field + ".content", "it is missing, and there are no tool_calls");
    if (!hasCalls)
      message.erase("tool_calls");
    else if (auto error = readCalls(*calls, field))
      return error;
    if (hasCalls && record.generic) {
      const std::string text = genericCalls(message["tool_calls"]);
      message.erase("tool_calls");
      push(std::move(message), (content && !content->empty() ? *content + std::string(kJoin) : "") + text);
      return std::nullopt;
    }
    setReasoning(message, thought);
    const std::string text = content.value_or("");
    push(std::move(message), text);
    Json& written = result.back();
    if (hasCalls && text.empty() && record.nullContent)
      written["content"] = nullptr;
    if (!thought.empty() && record.reasoningField == "content")
      written["content"] =
          Json::array({{{"type", "thinking"}, {"thinking", thought}}, {{"type", "text"}, {"text", text}}});
    return std::nullopt;
  }

  static std::string reasoningOf(const Json& message) {
    for (const char* name : {"reasoning_content", "reasoning"})
      if (std::string text = stringOf(message, name); !text.empty())
        return text;
    return {};
  }

  void setReasoning(Json& message, const std::string& thought) const {
    if (!thought.empty() && !record.reasoningField.empty() && record.reasoningField != "content")
      message[record.reasoningField] = thought;
  }

  Failure readCalls(Json& calls, const std::string& field) {
    if (!calls.is_array())
      return wrongField(field + ".tool_calls", "it has to be an array");
    for (std::size_t i = 0; i < calls.size(); ++i)
      if (auto error = readCall(calls[i], field + ".tool_calls[" + std::to_string(i) + "]"))
        return error;
    return std::nullopt;
  }

  Failure readCall(Json& call, const std::string& field) {
    if (!call.is_object() || !call.contains("function") || !call["function"].is_object())
      return wrongField(field + ".function", "it has to be an object with name and arguments");
    Json& function = call["function"];
    const std::string name = stringOf(function, "name"), id = stringOf(call, "id");
    if (name.empty())
      return wrongField(field + ".function.name", "it has to be a string");
    if (!call.contains("type"))
      call["type"] = "function";
    names.emplace_back(id, name);
    if (!id.empty())
      call["id"] = fittingId(id, record.idLength);
    Json& arguments = function["arguments"];
    if (arguments.is_null() || arguments == "")
      arguments = "{}";
    if (!arguments.is_string() && !arguments.is_object())
      return wrongField(field + ".function.arguments", "it has to be a string of JSON");
    if (arguments.is_string() && !record.stringArguments) {
      Json parsed = Json::parse(arguments.get<std::string>(), nullptr, /*allow_exceptions=*/false);
      if (parsed.is_object())
        arguments = std::move(parsed);
      else if (record.objectArguments)
        return wrongField(field + ".function.arguments", "it is not the text of a JSON object");
    } else if (arguments.is_object() && record.stringArguments) {
      arguments = arguments.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    return std::nullopt;
  }

  const FormatRecord& record;
  const Json& tools;
  Json result = Json::array();
  std::string system;                                     ///< text of the system that waits for its place
  std::vector<std::pair<std::string, std::string>> names; ///< of calls, by id
  bool lastIsResult = false;
};

ChatTool onlyParameters(const Json& function) {
  const auto parameters = function.find("parameters");
  const bool given = parameters != function.end() && parameters->is_object() && !parameters->empty();
  return {stringOf(function, "name"), given ? *parameters : Json({{"type", "object"}, {"properties", Json::object()}})};
}

api::Expected<ChatTool> named(const Json& tool, const std::vector<ChatTool>& tools, const std::string& field) {
  const Json* function = tool.is_object() && tool.contains("function") ? &tool["function"] : &tool;
  const std::string name = function->is_object() ? stringOf(*function, "name") : "";
  if (name.empty())
    return wrongField(field, "it names no function");
  for (const ChatTool& known : tools)
    if (known.name == name)
      return known;
  return wrongField(field, "there is no tool '" + name + "'");
}

} // namespace

api::Error wrongField(const std::string& field, const std::string& fact) {
  return {LLCUDA_USAGE, "Field '" + field + "': " + fact};
}

api::Expected<Json> templateMessages(const Json& messages, const FormatRecord& record, const Json& tools) {
  return Messages(record, tools).read(messages);
}

api::Expected<std::vector<ChatTool>> readTools(const Json& tools) {
  std::vector<ChatTool> result;
  if (tools.is_null())
    return result;
  if (!tools.is_array())
    return wrongField("tools", "it has to be an array");
  for (std::size_t i = 0; i < tools.size(); ++i) {
    const std::string field = "tools[" + std::to_string(i) + "]";
    const Json& tool = tools[i];
    if (!tool.is_object())
      return wrongField(field, "it has to be an object");
    if (stringOf(tool, "type") != "function")
      return wrongField(field + ".type", "only 'function' is supported");
    const auto function = tool.find("function");
    if (function == tool.end() || !function->is_object())
      return wrongField(field + ".function", "it has to be an object");
    if (stringOf(*function, "name").empty())
      return wrongField(field + ".function.name", "it has to be a string");
    if (function->contains("parameters") && !(*function)["parameters"].is_object() &&
        !(*function)["parameters"].is_null())
      return wrongField(field + ".function.parameters", "it has to be a JSON schema");
    result.push_back(onlyParameters(*function));
  }
  return result;
}

Json completedTools(const Json& tools) {
  Json result = tools;
  const auto describe = [](Json& object) {
    if (!object.contains("description") || object["description"].is_null())
      object["description"] = "";
  };
  for (Json& tool : result) {
    Json& function = tool["function"];
    describe(function);
    function["parameters"] = onlyParameters(function).parameters;
    Json& properties = function["parameters"]["properties"];
    if (!properties.is_object())
      properties = Json::object();
    for (auto& property : properties.items())
      if (property.value().is_object())
        describe(property.value());
  }
  return result;
}

api::Expected<ToolChoice> readToolChoice(const Json& choice, std::vector<ChatTool> tools) {
  ToolChoice result;
  const auto needTools = [&]() -> std::optional<api::Error> {
    if (!tools.empty())
      return std::nullopt;
    return wrongField("tool_choice", "there are no tools to choose from");
  };
  if (choice.is_null() || choice == "auto" || choice == "none" || choice == "required") {
    result.mode = choice == "none" ? ToolMode::kNone : choice == "required" ? ToolMode::kRequired : ToolMode::kAuto;
    if (result.mode == ToolMode::kRequired)
      if (auto error = needTools())
        return *error;
    if (result.mode != ToolMode::kNone)
      result.tools = std::move(tools);
    return result;
  }
  if (!choice.is_object())
    return wrongField("tool_choice", "it has to be none, auto, required or an object that names a function");
  if (auto error = needTools())
    return *error;
  if (stringOf(choice, "type") == "allowed_tools") {
    const Json& allowed = choice.contains("allowed_tools") ? choice["allowed_tools"] : choice;
    if (!allowed.is_object() || !allowed.contains("tools") || !allowed["tools"].is_array() || allowed["tools"].empty())
      return wrongField("tool_choice.allowed_tools", "it has to be an object with a mode and tools");
    const std::string mode = stringOf(allowed, "mode");
    if (mode != "auto" && mode != "required")
      return wrongField("tool_choice.allowed_tools.mode", "it has to be auto or required");
    result.mode = mode == "required" ? ToolMode::kRequired : ToolMode::kAuto;
    for (std::size_t i = 0; i < allowed["tools"].size(); ++i) {
      auto tool = named(allowed["tools"][i], tools, "tool_choice.allowed_tools.tools[" + std::to_string(i) + "]");
      if (!tool)
        return tool.error();
      result.tools.push_back(std::move(*tool));
    }
    return result;
  }
  if (stringOf(choice, "type") != "function")
    return wrongField("tool_choice.type", "it has to be function or allowed_tools");
  auto tool = named(choice, tools, "tool_choice.function.name");
  if (!tool)
    return tool.error();
  result.mode = ToolMode::kRequired;
  result.tools = {std::move(*tool)};
  return result;
}

} // namespace llcuda::server
