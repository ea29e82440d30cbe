// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/chat/json_scanner.h"

#include <nlohmann/json.hpp>

namespace llcuda::server {
namespace {

constexpr std::size_t kMaxDepth = 256;

bool isSpace(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
bool isDigit(char c) {
  return c >= '0' && c <= '9';
}
bool isHex(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

} // namespace

JsonScanner::Status JsonScanner::ended() {
  expect = Expect::kNext;
  return open.empty() ? Status::kDone : Status::kMore;
}

JsonScanner::Status JsonScanner::close(char bracket) {
  if (open.empty() || open.back() != (bracket == '}' ? '{' : '['))
    return Status::kError;
  open.pop_back();
  return ended();
}

JsonScanner::Status JsonScanner::value(char c) {
  if (c == '{' || c == '[') {
    if (open.size() == kMaxDepth)
      return Status::kError;
    open += c;
    expect = c == '{' ? Expect::kFirstKey : Expect::kFirstValue;
  } else if (c == '"') {
    expect = Expect::kString;
  } else if (c == '-' || isDigit(c)) {
    expect = Expect::kNumber;
  } else if (c == 't' || c == 'f' || c == 'n') {
    expect = Expect::kWord;
    wordLeft = c == 't' ? "rue" : c == 'f' ? "alse" : "ull";
  } else {
    return Status::kError;
  }
  return Status::kMore;
}

JsonScanner::Status JsonScanner::string(char c) {
  if (c == '\\') {
    escaped = expect;
    expect = Expect::kEscape;
  } else if (c == '"') {
    if (expect == Expect::kString)
      return ended();
    expect = Expect::kColon;
  } else if (static_cast<unsigned char>(c) < 0x20) {
    return Status::kError;
  }
  return Status::kMore;
}

JsonScanner::Status JsonScanner::feed(char c) {
  switch (expect) {
  case Expect::kString:
  case Expect::kKeyString:
    return string(c);
  case Expect::kEscape:
    if (std::string_view("\"\\/bfnrtu").find(c) == std::string_view::npos)
      return Status::kError;
    expect = c == 'u' ? Expect::kHex : escaped;
    hexLeft = 4;
    return Status::kMore;
  case Expect::kHex:
    if (!isHex(c))
      return Status::kError;
    if (--hexLeft == 0)
      expect = escaped;
    return Status::kMore;
  case Expect::kWord:
    if (wordLeft.front() != c)
      return Status::kError;
    wordLeft.remove_prefix(1);
    return wordLeft.empty() ? ended() : Status::kMore;
  case Expect::kNumber:
    if (isDigit(c) || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-')
      return Status::kMore;
    expect = Expect::kNext;
    if (open.empty())
      return Status::kError;
    return feed(c);
  default:
    break;
  }
  if (isSpace(c))
    return Status::kMore;
  switch (expect) {
  case Expect::kFirstValue:
    return c == ']' ? close(c) : value(c);
  case Expect::kFirstKey:
    if (c == '}')
      return close(c);
    [[fallthrough]];
  case Expect::kKey:
    expect = Expect::kKeyString;
    return c == '"' ? Status::kMore : Status::kError;
  case Expect::kColon:
    expect = Expect::kValue;
    return c == ':' ? Status::kMore : Status::kError;
  case Expect::kNext:
    if (c == ',' && !open.empty()) {
      expect = open.back() == '{' ? Expect::kKey : Expect::kValue;
      return Status::kMore;
    }
    return close(c);
  default:
    return value(c);
  }
}

std::size_t jsonEnd(std::string_view text, std::size_t begin) {
  if (begin >= text.size() || (text[begin] != '{' && text[begin] != '['))
    return std::string_view::npos;
  JsonScanner scanner;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const JsonScanner::Status status = scanner.feed(text[i]);
    if (status == JsonScanner::Status::kDone)
      return i + 1;
    if (status == JsonScanner::Status::kError)
      break;
  }
  return std::string_view::npos;
}

std::string jsonQuoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string jsonEscaped(std::string_view text) {
  const std::string quoted = jsonQuoted(text);
  return quoted.substr(1, quoted.size() - 2);
}

} // namespace llcuda::server
