// SPDX-License-Identifier: Apache-2.0
// One line of OpenAI's batch format: an answer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/server/api/answer_parts.h"
#include "tools/llcuda-run/batch_request.h"

namespace llcuda::run {

/// What came of a request.
struct BatchAnswer {
  std::string text;
  std::vector<server::ReportedToken> tokens;       ///< of the text, where log-probabilities are asked for
  std::vector<server::ReportedToken> promptTokens; ///< from the second on, the same
  std::vector<float> embedding;
  bool isCut = false;                                              ///< by max_tokens or the end of the context
  uint64_t promptCount = 0, cachedTokens = 0, generatedTokens = 0; ///< the second are some of the first

  /// What an event adds; the last one too.
  void hear(const llcuda_event& event, const api::Engine& engine, const api::Request& request);
};

/// Lines of the output, with their newline.
std::string answerLine(const BatchRequest& request, const BatchAnswer& answer, const api::Engine& engine);
std::string refusalLine(const std::string& customId, uint64_t line, const BatchRefusal& refusal);

} // namespace llcuda::run
