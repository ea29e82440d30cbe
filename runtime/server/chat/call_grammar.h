// SPDX-License-Identifier: Apache-2.0
// Lark grammars of answers that have to be, or go on as, calls: made from a format's record.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/server/chat/chat_format.h"

namespace llcuda::server {

struct CallGrammarRequest {
  const FormatRecord& record;
  const TemplateAccess& access;
  const std::vector<ChatTool>& tools;    ///< one of them is called; not empty
  bool forced = false;                   ///< the answer has to be calls; else the grammar begins when a call does
  bool parallel = true;                  ///< several calls, where the format has them
  bool mayReason = false;                ///< reasoning may stand in front
  bool insideReasoning = false;          ///< the prompt has opened it: the grammar begins behind its end
  const ChatGrammar* response = nullptr; ///< forced generic form, and auto: what a content has to be
};

/// None: a call of this format has no marker that it could begin with, so nothing is constrained.
std::optional<ChatGrammar> callGrammar(const CallGrammarRequest& request);

/// A response's constraint, where reasoning may stand in front of it. `response` itself where nothing has to be added.
ChatGrammar responseGrammar(const FormatRecord& record, const TemplateAccess& access, const ChatGrammar& response,
                            bool mayReason, bool insideReasoning);

} // namespace llcuda::server
