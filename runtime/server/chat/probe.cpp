// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/chat/probe.h"

#include <array>
#include <ctime>

namespace llcuda::server {
namespace probe {

Json user() {
  return {{"role", "user"}, {"content", kUser}};
}

Json tools() {
  Json result = Json::array();
  for (const std::string_view name : kNames) {
    const Json text = {{"type", "string"}, {"description", "d"}}, number = {{"type", "integer"}, {"description", "d"}};
    const Json parameters = {{"type", "object"},
                             {"properties", {{kKeys[0], text}, {kKeys[1], number}}},
                             {"required", Json::array({kKeys[0], kKeys[1]})}};
    result.push_back(
        {{"type", "function"}, {"function", {{"name", name}, {"description", "d"}, {"parameters", parameters}}}});
  }
  return result;
}

Json call(int index, bool argumentsAsText) {
  const int number = std::atoi(std::string(kNumbers[index]).c_str());
  Json arguments = {{kKeys[0], kStrings[index]}, {kKeys[1], number}};
  if (argumentsAsText) // as Python's json writes it
    arguments = "{\"" + std::string(kKeys[0]) + "\": \"" + std::string(kStrings[index]) + "\", \"" +
                std::string(kKeys[1]) + "\": " + std::string(kNumbers[index]) + "}";
  return {{"id", kIds[index]}, {"type", "function"}, {"function", {{"name", kNames[index]}, {"arguments", arguments}}}};
}

} // namespace probe

void addPlainVariables(Json& variables, const FormatRecord& record) {
  if (!record.functionsVariable)
    return;
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  ::gmtime_r(&now, &parts);
  std::array<char, 64> text = {};
  std::strftime(text.data(), text.size(), "%b %d %Y %H:%M:%S GMT", &parts);
  const auto tools = variables.find("tools");
  variables.emplace("functions", tools == variables.end() ? "[]" : tools->dump(2));
  variables.emplace("datetime", text.data());
}

std::string_view beforeEos(std::string_view text) {
  return text.substr(0, text.find(probe::kEos));
}

std::optional<std::string> Probe::all(const Json& messages, const Json& variables) const {
  Json given = {{"messages", messages},
                {"tools", record.tools ? probe::tools() : Json()},
                {"add_generation_prompt", false},
                {"eos_token", probe::kEos}};
  if (!record.thinkingVariable.empty())
    given[record.thinkingVariable] = true;
  for (const auto& [name, value] : variables.items()) given[name] = value;
  if (given["tools"].is_null())
    given.erase("tools");
  addPlainVariables(given, record);
  auto text = access.render(given);
  return text ? std::optional<std::string>(std::move(*text)) : std::nullopt;
}

std::optional<std::string> Probe::answer(const Json& message, const Json& variables) const {
  Json messages = Json::array({probe::user()});
  if (!message.is_null())
    messages.push_back(message);
  std::optional<std::string> text = all(messages, variables);
  const std::size_t user = text ? text->rfind(probe::kUser) : std::string::npos;
  if (user == std::string::npos)
    return std::nullopt;
  return text->substr(user + probe::kUser.size());
}

std::optional<std::string> Probe::opening(const Json& variables) const {
  Json given = variables;
  given["add_generation_prompt"] = true;
  return answer(Json(), given);
}

} // namespace llcuda::server
