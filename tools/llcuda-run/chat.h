// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "tools/llcuda-run/options.h"

namespace llcuda::run {

/// The conversation as token ids, with the assistant's turn opened; by the plain template for the empty name.
api::Expected<std::vector<int32_t>> chatTokens(const api::Engine& engine, const std::vector<api::Message>& messages,
                                               const std::string& chatTemplate);

/// Reads a line, streams the reply, until the input ends. The exit code.
int chatLoop(const api::Engine& engine, api::Session& session, const Options& options);

} // namespace llcuda::run
