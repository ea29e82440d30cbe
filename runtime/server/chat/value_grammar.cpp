// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/chat/value_grammar.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "runtime/server/chat/argument_value.h"
#include "runtime/server/chat/json_scanner.h"

namespace llcuda::server {
namespace {

constexpr int kMaxDepth = 16; // of schemas that are followed; deeper ones take any value

struct Property {
  std::string key;
  Json schema;
  bool required = false;
};

std::vector<Property> propertiesOf(const Json& parameters) {
  std::vector<Property> result;
  const auto properties = parameters.find("properties");
  if (properties == parameters.end() || !properties->is_object())
    return result;
  const auto required = parameters.find("required");
  for (const auto& [key, schema] : properties->items()) {
    const bool needed = required != parameters.end() && required->is_array() &&
                        std::find(required->begin(), required->end(), Json(key)) != required->end();
    result.push_back({key, schema, needed});
  }
  return result;
}

/// Items in order, those that are not required left out or not, joined.
std::string sequence(Lark& lark, const std::vector<std::pair<std::string, bool>>& items, const std::string& separator) {
  // What may follow when nothing stands in front (`first`), and when something does (`more`).
  std::string first = "\"\"", more = "\"\"";
  for (std::size_t i = items.size(); i > 0; --i) {
    const auto& [item, required] = items[i - 1];
    const std::string begun = item + " " + more;
    std::string follows = separator + " " + begun;
    if (!required)
      follows += " | " + more;
    const std::string start = required ? begun : begun + " | " + first;
    first = lark.rule("first", start);
    more = lark.rule("more", follows);
  }
  return first;
}

/// Values in a notation of their own: Python's, or JSON with bare keys.
class Values {
public:
  Values(Lark& lark, std::string quote) : lark(lark), quote(std::move(quote)), python(this->quote.empty()) {}

  std::string value(const Json& schema, int depth = 0) {
    if (!schema.is_object() || depth > kMaxDepth)
      return any();
    if (const auto values = schema.find("enum"); values != schema.end() && values->is_array())
      return oneOf(*values);
    const Json type = schema.value("type", Json());
    if (type == "string")
      return string();
    if (type == "integer")
      return "/-?[0-9]+/";
    if (type == "number")
      return "/-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?/";
    if (type == "boolean")
      return word("true") + " | " + word("false");
    if (type == "null")
      return word("null");
    if (type == "array")
      return list(lark.rule("item", value(schema.value("items", Json()), depth + 1)));
    if (type == "object" && !propertiesOf(schema).empty())
      return object(schema, depth);
    return any();
  }

  std::string key(std::string_view name) const { return python ? jsonQuoted(pythonQuoted(name)) : jsonQuoted(name); }

  std::string object(const Json& schema, int depth) {
    std::vector<std::pair<std::string, bool>> items;
    std::vector<Property> properties = propertiesOf(schema);
    if (!python) // templates with bare keys write them in order, and so do their models
      std::sort(properties.begin(), properties.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    for (const Property& property : properties)
      items.push_back({lark.rule("pair", key(property.key) + (python ? " \": \" (" : " \":\" (") +
                                             value(property.schema, depth + 1) + ")"),
                       property.required});
    return "\"{\" " + sequence(lark, items, comma()) + " \"}\"";
  }

  std::string comma() const { return python ? "\", \"" : "\",\""; }

private:
  static std::string pythonQuoted(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
      if (c == '\\' || c == '\'')
        result += '\\';
      result += c;
    }
    return result + "'";
  }

  std::string string() {
    if (python)
      return "/'([^'\\\\\\n]|\\\\.)*'/ | /\"([^\"\\\\\\n]|\\\\.)*\"/";
    return lark.literal(quote) + " " + lark.textThrough(quote);
  }

  std::string word(std::string_view json) const {
    if (!python)
      return jsonQuoted(json);
    return json == "true" ? "\"True\"" : json == "false" ? "\"False\"" : "\"None\"";
  }

  std::string constant(const Json& value) {
    if (value.is_string())
      return python ? jsonQuoted(pythonQuoted(value.get<std::string>()))
                    : lark.literal(quote) + " " + jsonQuoted(value.get<std::string>()) + " " + lark.literal(quote);
    if (value.is_boolean() || value.is_null())
      return word(value.dump());
    return value.is_number() ? jsonQuoted(value.dump()) : any();
  }

  std::string oneOf(const Json& values) {
    std::string result;
    for (const Json& value : values) result += (result.empty() ? "" : " | ") + constant(value);
    return result.empty() ? any() : result;
  }

  std::string list(const std::string& item) const {
    return "\"[\" (" + item + " (" + comma() + " " + item + ")*)? \"]\"";
  }

  /// Any value at all; the rule refers to itself.
  std::string any() {
    if (anyRule.empty()) {
      anyRule = lark.reserve("any");
      const std::string name = python ? string() : "/[A-Za-z_][A-Za-z0-9_]*/";
      const std::string pair = lark.rule("pair", "(" + name + ") " + (python ? "\": \" " : "\":\" ") + anyRule);
      lark.define(anyRule, string() + " | /-?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?/ | " + word("true") + " | " +
                               word("false") + " | " + word("null") + " | " + list(anyRule) + " | \"{\" (" + pair +
                               " (" + comma() + " " + pair + ")*)? \"}\"");
    }
    return anyRule;
  }

  Lark& lark;
  std::string quote, anyRule;
  bool python;
};

/// A property's schema by itself: what it refers to stands in the whole.
Json alone(const Json& schema, const Json& parameters) {
  Json result = schema.is_object() ? schema : Json::object();
  for (const char* name : {"$defs", "definitions"})
    if (parameters.contains(name))
      result[name] = parameters[name];
  return result;
}

std::string tagged(Lark& lark, const TaggedArgument& tags, const Json& parameters) {
  std::vector<std::pair<std::string, bool>> items;
  for (const Property& property : propertiesOf(parameters)) {
    const bool string = valueKind(parameters, property.key) == ValueKind::kString;
    const std::string end = tags.end + (tags.endHasKey ? property.key + tags.endTail : "");
    std::string value = lark.literal(tags.begin + property.key + (string ? tags.middle : tags.otherMiddle)) + " ";
    const bool fixed = string && property.schema.contains("enum");
    if (fixed) {
      std::string words;
      for (const Json& word : property.schema["enum"])
        words += (words.empty() ? "" : " | ") + lark.literal(word.is_string() ? word.get<std::string>() : word.dump());
      value += "(" + words + ") " + lark.literal(end);
    } else if (string) {
      value += lark.textThrough(end);
    } else if (property.schema.is_object() && property.schema.value("type", Json()) == "boolean") {
      value += "(\"true\" | \"false\" | \"True\" | \"False\") " + lark.literal(end);
    } else {
      value += lark.rule("value", lark.json(alone(property.schema, parameters))) + " " + lark.literal(end);
    }
    items.push_back({lark.rule("argument", value), property.required});
  }
  return sequence(lark, items, lark.literal(tags.separator));
}

std::string pythonic(Lark& lark, const Json& parameters) {
  Values values(lark, "");
  std::vector<std::pair<std::string, bool>> items;
  for (const Property& property : propertiesOf(parameters))
    items.push_back({lark.rule("argument", jsonQuoted(property.key + "=") + " (" + values.value(property.schema) + ")"),
                     property.required});
  return lark.rule("arguments", "\"(\" " + sequence(lark, items, "\", \"") + " \")\"");
}

} // namespace

std::string argumentsRule(Lark& lark, const FormatRecord& record, const Json& parameters) {
  if (record.style == CallStyle::kTagged)
    return tagged(lark, record.argument, parameters);
  if (record.style == CallStyle::kPythonic)
    return pythonic(lark, parameters);
  if (!record.quote.empty())
    return lark.rule("arguments", Values(lark, record.quote).object(parameters, 0));
  return lark.rule("arguments", lark.json(parameters));
}

} // namespace llcuda::server
