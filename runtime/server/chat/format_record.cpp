// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/chat/format_record.h"

#include <nlohmann/json.hpp>

namespace llcuda::server {
namespace {

using Json = nlohmann::ordered_json;

std::string_view kindName(CallPart::Kind kind) {
  switch (kind) {
  case CallPart::Kind::kText:
    return "text";
  case CallPart::Kind::kName:
    return "name";
  case CallPart::Kind::kId:
    return "id";
  case CallPart::Kind::kIndex:
    return "index";
  case CallPart::Kind::kArguments:
    return "arguments";
  case CallPart::Kind::kObject:
    return "object";
  }
  return "";
}

/// Fields that have their default value are left out.
class Fields {
public:
  void text(const char* name, const std::string& value) {
    if (!value.empty())
      json[name] = value;
  }
  void flag(const char* name, bool value, bool usual = false) {
    if (value != usual)
      json[name] = value;
  }
  void number(const char* name, int value) {
    if (value != 0)
      json[name] = value;
  }
  Json json = Json::object();
};

Json describeCall(const FormatRecord& record) {
  Json parts = Json::array();
  for (const CallPart& part : record.call)
    parts.push_back(part.kind == CallPart::Kind::kText ? Json(part.text) : Json::array({kindName(part.kind)}));
  return parts;
}

Json describeObject(const CallObject& object) {
  Fields fields;
  fields.text("name", object.nameKey);
  fields.text("arguments", object.argumentsKey);
  fields.text("id", object.idKey);
  fields.flag("idFirst", object.idFirst);
  fields.flag("idIsIndex", object.idIsIndex);
  fields.flag("nameIsKey", object.nameIsKey);
  return fields.json;
}

Json describeArgument(const TaggedArgument& argument) {
  Fields fields;
  fields.text("begin", argument.begin);
  fields.text("middle", argument.middle);
  if (argument.otherMiddle != argument.middle)
    fields.text("otherMiddle", argument.otherMiddle);
  fields.text("end", argument.end);
  fields.flag("endHasKey", argument.endHasKey);
  fields.text("endTail", argument.endTail);
  fields.text("separator", argument.separator);
  fields.flag("cdata", argument.cdata);
  return fields.json;
}

} // namespace

std::string_view callStyleName(CallStyle style) {
  switch (style) {
  case CallStyle::kNone:
    return "none";
  case CallStyle::kJson:
    return "json";
  case CallStyle::kTagged:
    return "tagged";
  case CallStyle::kPythonic:
    return "pythonic";
  }
  return "";
}

std::string describe(const FormatRecord& record) {
  Fields fields;
  fields.json["style"] = callStyleName(record.style);
  fields.flag("generic", record.generic);
  fields.text("callPrefix", record.callPrefix);
  fields.text("section", record.section);
  fields.text("sectionEnd", record.sectionEnd);
  fields.text("separator", record.separator);
  if (!record.call.empty())
    fields.json["call"] = describeCall(record);
  if (Json object = describeObject(record.object); !object.empty())
    fields.json["object"] = std::move(object);
  if (Json argument = describeArgument(record.argument); !argument.empty())
    fields.json["argument"] = std::move(argument);
  fields.text("quote", record.quote);
  fields.flag("parallel", record.parallel);
  fields.number("firstIndex", record.firstIndex);
  fields.flag("callsFirst", record.callsFirst);
  fields.text("reasoning", record.reasoning);
  fields.text("reasoningEnd", record.reasoningEnd);
  fields.text("reasoningField", record.reasoningField);
  fields.text("contentBegin", record.contentBegin);
  fields.text("contentEnd", record.contentEnd);
  fields.text("thinkingVariable", record.thinkingVariable);
  fields.text("generationPrompt", record.generationPrompt);
  fields.flag("contentParts", record.contentParts);
  fields.flag("objectArguments", record.objectArguments);
  fields.flag("stringArguments", record.stringArguments);
  fields.flag("systemRole", record.systemRole, true);
  fields.flag("developerRole", record.developerRole);
  fields.flag("tools", record.tools);
  fields.flag("toolRole", record.toolRole, true);
  fields.flag("nullContent", record.nullContent);
  fields.flag("functionsVariable", record.functionsVariable);
  fields.number("idLength", record.idLength);
  return fields.json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace llcuda::server
