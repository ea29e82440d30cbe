// SPDX-License-Identifier: Apache-2.0
// Comparing texts that a template wrote, without cutting a tag in two.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace llcuda::server {

bool isBlank(char c);
std::string_view trimmed(std::string_view text);
std::string_view trimmedLeft(std::string_view text);
std::string_view trimmedRight(std::string_view text);

/// Bytes that both begin, or end, with; never a part of a tag such as <name> or [NAME], nor of a character.
std::size_t commonPrefix(std::string_view a, std::string_view b);
std::size_t commonSuffix(std::string_view a, std::string_view b);

/// Where the end of the turn begins in `text`, as what `other` ends with too: whole tags. A last tag that differs, such
/// as <|eom_id|> for <|eot_id|>, is one.
std::size_t turnEnd(std::string_view text, std::string_view other);

/// Where the tag begins that `at` stands inside of; `at` where it stands in none.
std::size_t tagBegin(std::string_view text, std::size_t at);

/// The first tag of the text and what is in front of it: what can be looked for in an answer. All of the text where it
/// has none.
std::string_view throughFirstTag(std::string_view text);

/// The last tag and the white space behind it, where the text ends with these; else empty.
std::string_view lastTag(std::string_view text);

/// </x> for <x>, [/X] for [X]; empty where it is no opening tag.
std::string closingTag(std::string_view tag);

} // namespace llcuda::server
