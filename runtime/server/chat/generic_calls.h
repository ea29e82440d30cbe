// SPDX-License-Identifier: Apache-2.0
// Calls of models whose template has none: the system message tells of the tools, and an answer that is the object
// {"tool_calls": [{"name": .., "arguments": ..}]} calls them. Any other answer is content.
#pragma once

#include <string>
#include <string_view>

#include "runtime/server/chat/chat_format.h"

namespace llcuda::server {

/// Fills the part of a record that says how calls look in an answer.
void setGenericCalls(FormatRecord& record);

/// What the system message says of the tools, where the template says nothing of them: how to call them in the
/// record's format.
std::string genericInstructions(const Json& tools, const FormatRecord& record);

/// The calls of a message as the assistant would have written them.
std::string genericCalls(const Json& toolCalls);

/// The result of a call as the user's words.
std::string genericResult(std::string_view name, std::string_view content);

} // namespace llcuda::server
