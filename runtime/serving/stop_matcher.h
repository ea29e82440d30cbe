// SPDX-License-Identifier: Apache-2.0
// Finds the strings at which a request stops, in text that comes in pieces.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llcuda::serving {

/// Stops at the first place where one of the strings is complete; of several that end there the longest counts. What is
/// said does not depend on how the text is cut into pieces.
class StopMatcher {
public:
  /// None of `strings` is empty.
  explicit StopMatcher(std::vector<std::string> strings) : strings(std::move(strings)) {}

  /// The text that `piece` makes certain: what may be the beginning of a stop string is held back. After a match what
  /// comes before it, and never anything again.
  std::string push(std::string_view piece);
  /// What is held back: no more text comes.
  std::string finish();
  /// Index of the string that was found.
  std::optional<uint32_t> found() const { return match; }

private:
  std::vector<std::string> strings;
  std::string held;
  std::optional<uint32_t> match;
};

} // namespace llcuda::serving
