// SPDX-License-Identifier: Apache-2.0
// Text to tokens and back, in the forms of llama-server and of vLLM.
#pragma once

#include <string_view>

#include "runtime/server/api/service.h"

namespace llcuda::server {

/// {content, add_special = false, parse_special = true, with_pieces = false} gives {tokens};
/// {prompt, add_special_tokens = true} gives {count, max_model_len, tokens}.
Checked<Json> tokenize(const Service& service, std::string_view body);

/// {tokens} gives {content} and, with the same text, {prompt}.
Checked<Json> detokenize(const Service& service, std::string_view body);

/// {bos_token, eos_token, pad_token, unk_token, chat_template}; null where the model has none.
Json tokenizerInfo(const Service& service);

} // namespace llcuda::server
