// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/constraint.h"

namespace llcuda::server {
namespace {

bool isLark(std::string_view grammar) {
  return grammar.starts_with("%llguidance");
}

ChatGrammar schemaGrammar(Json schema, bool isStrict) {
  if (isStrict && schema.is_object() && !schema.contains("x-guidance"))
    schema["x-guidance"] = {{"whitespace_flexible", false}};
  return {GrammarKind::kJsonSchema, dumped(schema)};
}

std::optional<ChatGrammar> formatGrammar(const Json& format) {
  if (format["type"] == "json_object") {
    if (format.contains("schema") && !format["schema"].is_null())
      return schemaGrammar(format["schema"], false);
    return ChatGrammar{GrammarKind::kJsonObject, {}};
  }
  if (format["type"] != "json_schema")
    return std::nullopt;
  const Json& given = format["json_schema"];
  return schemaGrammar(given.value("schema", Json::object()), given.value("strict", Json()) == true);
}

} // namespace

std::optional<ChatGrammar> constraintOf(const Params& params) {
  if (!params.grammar.empty())
    return ChatGrammar{isLark(params.grammar) ? GrammarKind::kLark : GrammarKind::kGbnf, params.grammar};
  if (!params.regex.empty())
    return ChatGrammar{GrammarKind::kRegex, params.regex};
  if (!params.jsonSchema.is_null())
    return schemaGrammar(params.jsonSchema, false);
  return params.responseFormat.is_object() ? formatGrammar(params.responseFormat) : std::nullopt;
}

std::string_view constraintField(const Params& params) {
  return !params.grammar.empty()        ? "grammar"
         : !params.regex.empty()        ? "regex"
         : !params.jsonSchema.is_null() ? "json_schema"
                                        : "response_format";
}

} // namespace llcuda::server
