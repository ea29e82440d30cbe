// SPDX-License-Identifier: Apache-2.0
// One line of OpenAI's batch format: a request in, its answer out.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "llcuda/llcuda.hpp"

namespace llcuda::run {

struct BatchRequest {
  uint64_t line = 0; ///< of the file, from 1 on
  std::string customId;
  bool isChat = true;
  std::string model; ///< what the request calls it
  api::Request request;
};

/// Why a request cannot be answered, as the API says it.
struct BatchRefusal {
  int status = 400;
  std::string message;
  std::string field; ///< of the body; empty: none
};

/// The custom_id of a line, or why it is no line of a batch.
std::variant<std::string, BatchRefusal> customIdOf(const std::string& text);

/// The request of a line that has a custom_id, with `defaults` for what it leaves open.
std::variant<BatchRequest, BatchRefusal>
batchRequestOf(const std::string& text, uint64_t line, const api::Engine& engine, const api::GenerateOptions& defaults);

/// What came of a request.
struct BatchAnswer {
  std::string text;
  bool isCut = false;                                               ///< by max_tokens or the end of the context
  uint64_t promptTokens = 0, cachedTokens = 0, generatedTokens = 0; ///< the second are some of the first
};

/// Lines of the output, with their newline.
std::string answerLine(const BatchRequest& request, const BatchAnswer& answer);
std::string refusalLine(const std::string& customId, uint64_t line, const BatchRefusal& refusal);

} // namespace llcuda::run
