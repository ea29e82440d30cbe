// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "compiler/reference/agreement.h"
#include "llcuda/llcuda.hpp"

namespace llcuda::tools {

/// An engine on a device, as a model under test.
class EngineScores {
public:
  static Result<EngineScores> open(const std::string& path, llcuda_device device);

  Result<std::vector<reference::StepScore>> score(std::span<const int32_t> prompt, std::span<const int32_t> tokens);

private:
  EngineScores(api::Engine engine, api::Session session) : engine(std::move(engine)), session(std::move(session)) {}

  api::Engine engine;
  api::Session session;
};

} // namespace llcuda::tools
