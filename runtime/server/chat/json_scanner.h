// SPDX-License-Identifier: Apache-2.0
// Follows one JSON value, byte by byte, and says where it ends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace llcuda::server {

/// Checks the shape of one JSON value: brackets, commas, colons, strings and escapes, words and the letters of numbers.
/// White space in front is skipped. A number or word at the outermost level has no end of its own: it never says kDone.
class JsonScanner {
public:
  enum class Status { kMore, kDone, kError };

  /// After kDone and kError nothing more is taken.
  Status feed(char c);

private:
  enum class Expect {
    kValue,
    kFirstValue, ///< or ]
    kFirstKey,   ///< or }
    kKey,
    kColon,
    kNext, ///< comma or the closing bracket
    kString,
    kKeyString,
    kEscape,
    kHex,
    kWord,
    kNumber,
  };
  Status value(char c);
  Status string(char c);
  Status close(char bracket);
  Status ended();

  std::string open; ///< brackets
  Expect expect = Expect::kValue;
  Expect escaped = Expect::kString; ///< kString or kKeyString, that an escape stands in
  int hexLeft = 0;
  std::string_view wordLeft;
};

/// One past the end of the object or array that starts at `begin`; npos: it is none or does not end.
std::size_t jsonEnd(std::string_view text, std::size_t begin);

/// The text as a JSON string, with quotes; invalid UTF-8 is replaced.
std::string jsonQuoted(std::string_view text);
/// As above without the quotes, for a string that comes in pieces of whole characters.
std::string jsonEscaped(std::string_view text);

} // namespace llcuda::server
