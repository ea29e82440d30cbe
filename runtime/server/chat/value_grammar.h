// SPDX-License-Identifier: Apache-2.0
// Grammars of arguments that are written otherwise than as one JSON object.
#pragma once

#include <string>

#include "runtime/server/chat/lark.h"

namespace llcuda::server {

/// The rule of a function's arguments in the record's style, up to `end`, the text of the call behind them (not part of
/// the rule).
std::string argumentsRule(Lark& lark, const FormatRecord& record, const Json& parameters);

} // namespace llcuda::server
