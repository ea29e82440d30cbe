// SPDX-License-Identifier: Apache-2.0
// A format's record: which variables a template knows, and what it asks of messages.
#include "runtime/server/chat/generic_calls.h"
#include "runtime/server/chat/marks.h"
#include "runtime/server/chat/probe.h"

namespace llcuda::server {
namespace {

bool has(const std::optional<std::string>& text, std::string_view word) {
  return text && text->find(word) != std::string::npos;
}

Json message(std::string_view role, std::string_view content) {
  return {{"role", role}, {"content", content}};
}

Json callMessage(const FormatRecord& record, std::string_view id) {
  Json call = probe::call(0, record.stringArguments);
  call["id"] = id;
  return {
      {"role", "assistant"}, {"content", record.nullContent ? Json() : Json("")}, {"tool_calls", Json::array({call})}};
}

} // namespace

void findSwitches(const TemplateAccess& access, FormatRecord& record) {
  const Probe probe(access, record);
  for (const char* name : {"enable_thinking", "thinking"}) {
    const Json messages = Json::array({probe::user()});
    const auto on = probe.all(messages, {{name, true}, {"add_generation_prompt", true}});
    const auto off = probe.all(messages, {{name, false}, {"add_generation_prompt", true}});
    if (on && off && *on != *off) {
      record.thinkingVariable = name;
      break;
    }
  }
  const auto plain = probe.answer(Json()), opening = probe.opening();
  if (plain && opening)
    record.generationPrompt = opening->substr(commonPrefix(*opening, *plain));
}

void findRequirements(const TemplateAccess& access, FormatRecord& record) {
  const Probe probe(access, record);
  const Json none = {{"tools", nullptr}};
  const Json user = probe::user();
  const auto asText = probe.all(Json::array({user}), none);
  const Json part = {{"type", "text"}, {"text", probe::kUser}};
  const auto asParts = probe.all(Json::array({{{"role", "user"}, {"content", Json::array({part})}}}), none);
  record.contentParts = !has(asText, probe::kUser) && has(asParts, probe::kUser) && !has(asParts, "'type'");

  const auto system = probe.all(Json::array({message("system", probe::kSystem), user}), none);
  record.systemRole = has(system, probe::kSystem);
  const auto developer = probe.all(Json::array({message("developer", probe::kSystem), user}), none);
  const auto stranger = probe.all(Json::array({message("zqrolezq", probe::kSystem), user}), none);
  record.developerRole = has(developer, probe::kSystem) && !has(stranger, probe::kSystem);
  record.tools = record.tools && has(probe.all(Json::array({user})), probe::kNames[0]);

  if (record.style == CallStyle::kNone) {
    setGenericCalls(record);
    return;
  }
  Json result = message("tool", probe::kResult);
  result["tool_call_id"] = probe::kIds[0];
  result["name"] = probe::kNames[0];
  const auto withId = [&](std::string_view id) {
    result["tool_call_id"] = id;
    return probe.all(Json::array({user, callMessage(record, id), result}));
  };
  record.toolRole = has(withId(probe::kIds[0]), probe::kResult);
  if (record.toolRole && !withId("call_0123456789abcdefghijklmn"))
    record.idLength = static_cast<int>(probe::kIds[0].size());
}

api::Expected<ChatFormat> ChatFormat::find(TemplateAccess access) {
  FormatRecord record;
  const Json messages = Json::array({probe::user()});
  const auto writes = [&] { return Probe(access, record).all(messages).has_value(); };
  const auto writesWithTools = [&] { return (record.tools = true) && writes(); };
  if (!writesWithTools() && !((record.tools = false) || writes())) {
    record.functionsVariable = true;
    if (!writesWithTools()) {
      auto refused = access.render({{"messages", messages}, {"add_generation_prompt", false}});
      return refused ? api::Error{LLCUDA_UNSUPPORTED, "chat template: it renders no conversation"} : refused.error();
    }
  }
  findSwitches(access, record);
  findReasoning(access, record);
  findCalls(access, record);
  findReasoningOfCalls(access, record);
  findContentMarkers(access, record);
  findRequirements(access, record);
  return ChatFormat(std::move(access), std::move(record));
}

} // namespace llcuda::server
