// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/chat/lark.h"

#include <algorithm>

#include "runtime/server/chat/json_scanner.h"

namespace llcuda::server {
namespace {

constexpr std::size_t kMaxSpecial = 64; // bytes of a special token's name

} // namespace

std::string Lark::rule(std::string_view hint, std::string_view body) {
  return rule(hint, "", body);
}

std::string Lark::rule(std::string_view hint, std::string_view attribute, std::string_view body) {
  const std::string name = reserve(hint);
  rules += name + (attribute.empty() ? "" : "[" + std::string(attribute) + "]") + ": " + std::string(body) + "\n";
  return name;
}

std::size_t Lark::specialToken(std::string_view text, int32_t& id) const {
  if (!access.specialToken || text.empty() || (text[0] != '<' && text[0] != '['))
    return 0;
  for (std::size_t length = std::min(text.size(), kMaxSpecial); length > 1; --length)
    if (text[length - 1] == '>' || text[length - 1] == ']')
      if ((id = access.specialToken(text.substr(0, length))) >= 0)
        return length;
  return 0;
}

bool Lark::hasSpecialToken(std::string_view text) const {
  int32_t id = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (specialToken(text.substr(i), id) > 0)
      return true;
  return false;
}

std::string Lark::literal(std::string_view text) const {
  std::string result, plain;
  const auto flush = [&] {
    if (!plain.empty())
      result += (result.empty() ? "" : " ") + jsonQuoted(plain);
    plain.clear();
  };
  while (!text.empty()) {
    int32_t id = 0;
    const std::size_t length = specialToken(text, id);
    if (length > 0) {
      flush();
      result += (result.empty() ? "" : " ") + ("<[" + std::to_string(id) + "]>");
    } else {
      plain += text.front();
    }
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  flush();
  return result.empty() ? "\"\"" : result;
}

std::string Lark::textThrough(std::string_view end) {
  // A regular expression never takes a special token, so the text ends at one by itself.
  if (hasSpecialToken(end))
    return rule("text", "/(?s:.*)/ " + literal(end));
  return rule("text", "suffix=" + jsonQuoted(end), "/(?s:.*)/");
}

std::string Lark::json(Json schema) const {
  // What a schema by itself has anyway (docs/grammars.md): few blanks between its parts.
  if (schema.is_object() && !schema.contains("x-guidance"))
    schema["x-guidance"] = {{"coerce_one_of", true}, {"whitespace_pattern", R"(( |\n{1,2}[ \t]{0,20})?)"}};
  return "%json " + schema.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Lark::text(std::string_view start) const {
  return "start: " + std::string(start) + "\n" + rules;
}

} // namespace llcuda::server
