// SPDX-License-Identifier: Apache-2.0
// What an answer has to be: response_format, json_schema, grammar and regex as one grammar.
#pragma once

#include <optional>

#include "runtime/server/api/params.h"
#include "runtime/server/chat/chat_format.h"

namespace llcuda::server {

/// Nothing: any text. A grammar that begins with a line of "%llguidance" is Lark, another one GBNF. A strict JSON
/// schema is written without white space, which keeps a model from writing blanks for ever.
std::optional<ChatGrammar> constraintOf(const Params& params);

/// The field that asks for it, for errors.
std::string_view constraintField(const Params& params);

} // namespace llcuda::server
