// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/chat/argument_value.h"

#include "runtime/server/chat/json_scanner.h"
#include "runtime/server/chat/marks.h"

namespace llcuda::server {
namespace {

constexpr int kMaxDepth = 64;

/// Adds what the schema allows: strings, others.
void addKinds(const Json& schema, bool& strings, bool& others, int depth) {
  if (!schema.is_object() || depth > kMaxDepth)
    return;
  const auto add = [&](const Json& type) { (type == "string" ? strings : others) = true; };
  if (const auto type = schema.find("type"); type != schema.end()) {
    if (type->is_string())
      add(*type);
    if (type->is_array())
      for (const Json& one : *type) add(one);
    return;
  }
  if (const auto values = schema.find("enum"); values != schema.end() && values->is_array())
    for (const Json& value : *values) (value.is_string() ? strings : others) = true;
  if (const auto value = schema.find("const"); value != schema.end())
    (value->is_string() ? strings : others) = true;
  for (const char* of : {"anyOf", "oneOf", "allOf"})
    if (const auto list = schema.find(of); list != schema.end() && list->is_array())
      for (const Json& one : *list) addKinds(one, strings, others, depth + 1);
  if (schema.contains("properties"))
    others = true;
}

/// Reads Python literals; `at` moves on.
class PythonReader {
public:
  explicit PythonReader(std::string_view text) : text(text) {}

  std::optional<std::string> whole() {
    auto value = read(0);
    skip();
    return value && at == text.size() ? value : std::nullopt;
  }

private:
  void skip() {
    while (at < text.size() && isBlank(text[at])) ++at;
  }
  bool take(char c) {
    skip();
    return at < text.size() && text[at] == c && ++at;
  }

  std::optional<std::string> read(int depth) {
    skip();
    if (at == text.size() || depth > kMaxDepth)
      return std::nullopt;
    switch (text[at]) {
    case '\'':
    case '"':
      return string();
    case '[':
      return list(']', depth);
    case '(':
      return list(')', depth);
    case '{':
      return dict(depth);
    default:
      return word();
    }
  }

  std::optional<std::string> string() {
    const char quote = text[at++];
    std::string value;
    for (; at < text.size() && text[at] != quote; ++at) {
      if (text[at] != '\\') {
        value += text[at];
        continue;
      }
      if (++at == text.size())
        return std::nullopt;
      switch (text[at]) {
      case 'n':
        value += '\n';
        break;
      case 't':
        value += '\t';
        break;
      case 'r':
        value += '\r';
        break;
      case 'u': { // as JSON writes it, both halves of a pair
        std::size_t end = at + 5;
        if (text.substr(std::min(end, text.size()), 2) == "\\u")
          end += 6;
        const Json read = Json::parse("\"\\" + std::string(text.substr(at, end - at)) + "\"", nullptr, false);
        const Json one = Json::parse("\"\\" + std::string(text.substr(at, 5)) + "\"", nullptr, false);
        if (!one.is_string() && !read.is_string())
          return std::nullopt;
        value += one.is_string() ? one.get<std::string>() : read.get<std::string>();
        at += (one.is_string() ? 5 : end - at) - 1;
        break;
      }
      case '\\':
      case '\'':
      case '"':
        value += text[at];
        break;
      default: // Python leaves what it does not know
        value += '\\';
        value += text[at];
      }
    }
    if (at == text.size())
      return std::nullopt;
    ++at;
    return jsonQuoted(value);
  }

  std::optional<std::string> list(char close, int depth) {
    ++at;
    std::string result = "[";
    while (!take(close)) {
      if (result.size() > 1 && !take(','))
        return std::nullopt;
      if (result.size() > 1 && take(close))
        break;
      const auto value = read(depth + 1);
      if (!value)
        return std::nullopt;
      result += (result.size() > 1 ? ", " : "") + *value;
    }
    return result + "]";
  }

  std::optional<std::string> dict(int depth) {
    ++at;
    std::string result = "{";
    while (!take('}')) {
      if (result.size() > 1 && !take(','))
        return std::nullopt;
      if (result.size() > 1 && take('}'))
        break;
      const auto key = read(depth + 1);
      if (!key || key->front() != '"' || !take(':'))
        return std::nullopt;
      const auto value = read(depth + 1);
      if (!value)
        return std::nullopt;
      result += (result.size() > 1 ? ", " : "") + *key + ": " + *value;
    }
    return result + "}";
  }

  std::optional<std::string> word() {
    const std::size_t begin = at;
    while (at < text.size() && !isBlank(text[at]) && std::string_view(",:]})").find(text[at]) == std::string_view::npos)
      ++at;
    const std::string_view word = text.substr(begin, at - begin);
    if (word == "True" || word == "true")
      return "true";
    if (word == "False" || word == "false")
      return "false";
    if (word == "None" || word == "null")
      return "null";
    return Json::accept(word) ? std::optional(std::string(word)) : std::nullopt;
  }

  std::string_view text;
  std::size_t at = 0;
};

} // namespace

ValueKind valueKind(const Json& parameters, std::string_view key) {
  bool strings = false, others = false;
  if (parameters.is_object())
    if (const auto properties = parameters.find("properties");
        properties != parameters.end() && properties->is_object())
      if (const auto property = properties->find(key); property != properties->end())
        addKinds(*property, strings, others, 0);
  if (strings == others)
    return ValueKind::kEither;
  return strings ? ValueKind::kString : ValueKind::kOther;
}

std::string valueOfText(std::string_view text, ValueKind kind) {
  if (kind == ValueKind::kString)
    return jsonQuoted(text);
  const std::string_view body = trimmed(text);
  const bool quoted = !body.empty() && (body.front() == '"' || body.front() == '\'');
  if (kind == ValueKind::kEither && quoted)
    return jsonQuoted(text);
  if (Json::accept(body))
    return std::string(body);
  if (auto value = jsonOfPython(body))
    return *value;
  return jsonQuoted(text);
}

std::optional<std::string> jsonOfPython(std::string_view text) {
  return PythonReader(text).whole();
}

} // namespace llcuda::server
