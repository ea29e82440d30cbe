// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "compiler/reference/agreement.h"
#include "compiler/reference/logits_agreement.h"
#include "llcuda/llcuda.hpp"

namespace llcuda::tools {

/// An engine on a device, as a model under test.
class EngineScores {
public:
  static Result<EngineScores> open(const std::string& path, const api::SessionOptions& options);

  Result<std::vector<reference::StepScore>> score(std::span<const int32_t> prompt, std::span<const int32_t> tokens);

  /// The log-probabilities of all tokens after each of `positions`: with the tokens up to it as a prompt, and with
  /// every token but the first as a step of its own.
  Result<reference::LogitsRows> promptLogits(std::span<const int32_t> tokens, std::span<const size_t> positions);
  Result<reference::LogitsRows> stepLogits(std::span<const int32_t> tokens, std::span<const size_t> positions);

  uint32_t columns() const { return engine.info().embedding; } ///< of the model's rows

private:
  /// Feeds `prompt`, then steps through `forced`; a row for each token that the model chose.
  Result<reference::LogitsRows> rows(std::span<const int32_t> prompt, std::span<const int32_t> forced);

  EngineScores(api::Engine engine, api::Session session) : engine(std::move(engine)), session(std::move(session)) {}

  api::Engine engine;
  api::Session session;
};

} // namespace llcuda::tools
