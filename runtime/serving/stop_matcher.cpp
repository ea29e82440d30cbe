// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/stop_matcher.h"

#include <algorithm>
#include <utility>

namespace llcuda::serving {
namespace {

/// Bytes at the end of `text` that are the beginning of `string`, but not all of it.
std::size_t openTail(std::string_view text, std::string_view string) {
  for (std::size_t length = std::min(text.size(), string.size() - 1); length > 0; --length)
    if (text.ends_with(string.substr(0, length)))
      return length;
  return 0;
}

} // namespace

std::string StopMatcher::push(std::string_view piece) {
  if (match)
    return {};
  held += piece;
  std::size_t start = 0, end = std::string::npos;
  for (uint32_t i = 0; i < strings.size(); ++i) {
    const std::size_t at = held.find(strings[i]);
    if (at == std::string::npos)
      continue;
    const std::size_t after = at + strings[i].size();
    if (after < end || (after == end && at < start))
      start = at, end = after, match = i;
  }
  std::size_t certain = start;
  if (!match) {
    std::size_t open = 0;
    for (const std::string& string : strings) open = std::max(open, openTail(held, string));
    certain = held.size() - open;
  }
  std::string text = held.substr(0, certain);
  held.erase(0, match ? held.size() : certain);
  return text;
}

std::string StopMatcher::finish() {
  return std::exchange(held, {});
}

} // namespace llcuda::serving
