// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/chat/marks.h"

#include <algorithm>

namespace llcuda::server {
namespace {

constexpr std::size_t kMaxTag = 96; // bytes

bool isLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// '[' opens a tag only in front of what names one: lists of JSON open with it too.
bool opensTag(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size() || (text[at] != '<' && text[at] != '['))
    return false;
  const char next = text[at + 1];
  const bool named = isLetter(next) || next == '/' || next == '|';
  return named || (text[at] == '<' && static_cast<unsigned char>(next) >= 0x80);
}

bool isContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// One past the end of the tag that `at` stands inside of.
std::size_t tagEnd(std::string_view text, std::size_t at) {
  const std::size_t begin = tagBegin(text, at);
  if (begin == at)
    return at;
  const std::size_t end = text.find(text[begin] == '<' ? '>' : ']', at);
  return end == std::string_view::npos ? text.size() : end + 1;
}

} // namespace

bool isBlank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

std::string_view trimmedLeft(std::string_view text) {
  const auto first = std::find_if_not(text.begin(), text.end(), isBlank);
  return text.substr(static_cast<std::size_t>(first - text.begin()));
}

std::string_view trimmedRight(std::string_view text) {
  while (!text.empty() && isBlank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view trimmed(std::string_view text) {
  return trimmedLeft(trimmedRight(text));
}

std::size_t tagBegin(std::string_view text, std::size_t at) {
  for (std::size_t i = at; i > 0 && at - i < kMaxTag;) {
    --i;
    if (text[i] == '>' || text[i] == ']')
      return at;
    if (opensTag(text, i))
      return i;
  }
  return at;
}

std::size_t commonPrefix(std::string_view a, std::string_view b) {
  std::size_t length =
      static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  while (length > 0 && length < a.size() && isContinuation(a[length])) --length;
  return std::min(tagBegin(a, length), tagBegin(b, length));
}

std::size_t commonSuffix(std::string_view a, std::string_view b) {
  std::size_t length =
      static_cast<std::size_t>(std::mismatch(a.rbegin(), a.rend(), b.rbegin(), b.rend()).first - a.rbegin());
  while (length > 0 && isContinuation(a[a.size() - length])) --length;
  const std::size_t inA = a.size() - tagEnd(a, a.size() - length);
  const std::size_t inB = b.size() - tagEnd(b, b.size() - length);
  return std::min(inA, inB);
}

std::size_t turnEnd(std::string_view text, std::string_view other) {
  const auto differs = std::mismatch(text.rbegin(), text.rend(), other.rbegin(), other.rend());
  const std::size_t at = static_cast<std::size_t>(text.rend() - differs.first);
  std::size_t end = tagEnd(text, at);
  if (end != at && trimmed(text.substr(end)).empty())
    end = tagBegin(text, at);
  // A tag right behind a word is that word's: <|close|>tools<|sep|>
  if (end > 0 && isLetter(text[end - 1]) && opensTag(text, end))
    end = tagEnd(text, end + 1);
  return end;
}

std::string_view throughFirstTag(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (opensTag(text, i)) {
      const std::size_t end = tagEnd(text, i + 1);
      return text.substr(0, end);
    }
  return text;
}

std::string_view lastTag(std::string_view text) {
  const std::string_view body = trimmedRight(text);
  if (body.empty() || (body.back() != '>' && body.back() != ']'))
    return {};
  const std::size_t begin = tagBegin(body, body.size() - 1);
  return begin + 1 >= body.size() ? std::string_view() : text.substr(begin);
}

std::string closingTag(std::string_view tag) {
  const std::string_view body = trimmed(tag);
  if (body.size() < 3 || !opensTag(body, 0) || body[1] == '/' || body.find_first_of(" \n") != std::string_view::npos)
    return {};
  if (body[0] == '<' && body[1] == '|') // <|x|> has no closing form of its own
    return {};
  return std::string(body.substr(0, 1)) + "/" + std::string(body.substr(1));
}

} // namespace llcuda::server
