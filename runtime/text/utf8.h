// SPDX-License-Identifier: Apache-2.0
// UTF-8 of unknown origin: checked, repaired, cut between characters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace llcuda::text {

/// True when every byte belongs to a well-formed character (no surrogates, no overlong forms, nothing above U+10FFFF).
bool isUtf8(std::string_view text);

/// How many bytes at the end of `text` are the start of a character whose rest is missing: 0 to 3.
size_t incompleteTail(std::string_view text);

/// `text` with every byte sequence that is no character replaced by one U+FFFD, an incomplete one at the end too.
std::string repairUtf8(std::string_view text);

} // namespace llcuda::text
