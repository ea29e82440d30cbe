// SPDX-License-Identifier: Apache-2.0
// Text of single tokens and of prompts.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "llcuda/llcuda.hpp"
#include "runtime/server/api/answer_parts.h"

namespace llcuda::server {

/// Bytes of one token's text, which live as long as the engine; special tokens by name.
std::string_view tokenBytes(const api::Engine& engine, int32_t token);

/// A prompt as text, special tokens by name.
std::string promptText(const api::Engine& engine, std::span<const int32_t> tokens);

/// A token of the answer or of the prompt, and what an event says of its probability.
ReportedToken reportedToken(const api::Engine& engine, const llcuda_event& event);

} // namespace llcuda::server
