// SPDX-License-Identifier: Apache-2.0
// Values of arguments as models write them, to JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/server/chat/chat_format.h"

namespace llcuda::server {

/// What a schema says of a value that comes as text.
enum class ValueKind {
  kString, ///< it is a string, whatever it looks like
  kOther,  ///< it is no string: JSON, or Python's words for it
  kEither, ///< the schema leaves it open: JSON that is no string where it is JSON, else a string
};

/// Of the argument `key` of a function with these parameters; kEither where the schema does not say.
ValueKind valueKind(const Json& parameters, std::string_view key);

/// JSON text of a value that came as text between tags.
std::string valueOfText(std::string_view text, ValueKind kind);

/// JSON text of one Python literal: strings, numbers, True, None, lists, tuples, dicts; JSON's words too.
std::optional<std::string> jsonOfPython(std::string_view text);

} // namespace llcuda::server
