// SPDX-License-Identifier: Apache-2.0
// The fields of a request as the scheduler takes them.
#pragma once

#include <optional>
#include <vector>

#include "runtime/server/api/service.h"
#include "runtime/server/chat/chat_format.h"

namespace llcuda::server {

/// `grammar`: what the answer has to be. 400: a grammar that is none. 501: what this build does not have.
Checked<api::Request> requestOf(const Params& params, const std::optional<ChatGrammar>& grammar,
                                const Service& service);

/// Of a prompt that becomes a vector.
api::Request embeddingRequestOf(std::vector<int32_t> prompt, const Params& params, const Service& service);

/// The error of LLCUDA_EVENT_FAILED.
ApiError failureOf(const llcuda_event& event);

} // namespace llcuda::server
