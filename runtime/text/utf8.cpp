// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/utf8.h"

#include <cstdint>

namespace llcuda::text {
namespace {

/// What the bytes at the front of a text are.
struct Character {
  size_t bytes; ///< taken: of the character, or of the longest start of one; at least 1
  bool wellFormed;
  bool cutOff; ///< not well formed, but more bytes could make it so
};

/// The allowed range of the second byte keeps out overlong forms, surrogates and what is above U+10FFFF.
Character frontOf(std::string_view text) {
  const auto byteAt = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byteAt(0);
  if (lead < 0x80)
    return {1, true, false};
  if (lead < 0xC2 || lead > 0xF4)
    return {1, false, false};
  const size_t wanted = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  const uint8_t low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (size_t i = 1; i < wanted; ++i) {
    if (i == text.size())
      return {i, false, true};
    const bool fits = i == 1 ? byteAt(i) >= low && byteAt(i) <= high : (byteAt(i) & 0xC0) == 0x80;
    if (!fits)
      return {i, false, false};
  }
  return {wanted, true, false};
}

} // namespace

bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    const Character front = frontOf(text);
    if (!front.wellFormed)
      return false;
    text.remove_prefix(front.bytes);
  }
  return true;
}

size_t incompleteTail(std::string_view text) {
  const size_t longest = text.size() < 3 ? text.size() : 3;
  for (size_t tail = longest; tail > 0; --tail) {
    const Character front = frontOf(text.substr(text.size() - tail));
    if (front.cutOff && front.bytes == tail)
      return tail;
  }
  return 0;
}

std::string repairUtf8(std::string_view text) {
  std::string repaired;
  repaired.reserve(text.size());
  while (!text.empty()) {
    const Character front = frontOf(text);
    repaired += front.wellFormed ? text.substr(0, front.bytes) : std::string_view("\xEF\xBF\xBD");
    text.remove_prefix(front.bytes);
  }
  return repaired;
}

} // namespace llcuda::text
