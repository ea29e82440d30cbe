// SPDX-License-Identifier: Apache-2.0
// One line of OpenAI's batch format: a request.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "llcuda/llcuda.hpp"

namespace llcuda::run {

struct BatchRequest {
  uint64_t line = 0; ///< of the file, from 1 on
  std::string customId;
  enum class Kind { kChat, kCompletion, kEmbedding };
  Kind kind = Kind::kChat;
  std::string model;   ///< what the request calls it
  bool echoes = false; ///< the prompt stands in front of the answer
  bool base64 = false; ///< an embedding's numbers are said as 32-bit floats in base64
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

} // namespace llcuda::run
