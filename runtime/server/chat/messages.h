// SPDX-License-Identifier: Apache-2.0
// OpenAI's messages and tools: checked, and as a template wants them.
#pragma once

#include <string>
#include <vector>

#include "runtime/server/chat/chat_format.h"

namespace llcuda::server {

/// LLCUDA_USAGE with "Field '<field>': <fact>".
api::Error wrongField(const std::string& field, const std::string& fact);

/// Messages as a template of this record takes them: parts joined to strings, arguments as objects, the developer's
/// words as the system's, ids of the length that is asked for, and so on. `tools`: those that the system message has to
/// tell the model of; else null.
api::Expected<Json> templateMessages(const Json& messages, const FormatRecord& record, const Json& tools);

/// The functions among the tools, by their order.
api::Expected<std::vector<ChatTool>> readTools(const Json& tools);

/// The tools with all that a template may look for: parameters, and descriptions that are empty.
Json completedTools(const Json& tools);

enum class ToolMode { kNone, kAuto, kRequired };
struct ToolChoice {
  ToolMode mode = ToolMode::kAuto;
  std::vector<ChatTool> tools; ///< that may be called
};

/// tool_choice over the tools.
api::Expected<ToolChoice> readToolChoice(const Json& choice, std::vector<ChatTool> tools);

} // namespace llcuda::server
