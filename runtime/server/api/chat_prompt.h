// SPDX-License-Identifier: Apache-2.0
// The conversation of a request as the text to go on from.
#pragma once

#include <vector>

#include "runtime/server/api/service.h"
#include "runtime/server/chat/chat_format.h"

namespace llcuda::server {

/// 400: messages or tools that are wrong, or that the model's template refuses; 501: there is no template.
Checked<ChatPrompt> chatPromptOf(const Params& params, const Service& service);

/// The text alone, for /apply-template.
Checked<std::string> chatTextOf(const Params& params, const Service& service);

Checked<std::vector<int32_t>> chatTokensOf(const ChatPrompt& prompt, const Service& service);

} // namespace llcuda::server
