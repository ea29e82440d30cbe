// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-eval/engine_scores.h"

#include <cstdio>

namespace llcuda::tools {
namespace {

// A llcuda_status has the values of ErrorCode.
Error errorOf(const api::Error& error) {
  return Error{static_cast<ErrorCode>(error.status), error.message};
}

} // namespace

Result<EngineScores> EngineScores::open(const std::string& path, llcuda_device device) {
  auto engine = api::Engine::open(path);
  if (!engine)
    return errorOf(engine.error());
  api::SessionOptions options;
  options.device = device;
  options.log = [](llcuda_log_level, std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  };
  auto session = engine->createSession(options);
  if (!session)
    return errorOf(session.error());
  return EngineScores(std::move(*engine), std::move(*session));
}

Result<std::vector<reference::StepScore>> EngineScores::score(std::span<const int32_t> prompt,
                                                              std::span<const int32_t> tokens) {
  if (auto rewound = session.rewind(0); !rewound)
    return errorOf(rewound.error());
  std::vector<reference::StepScore> scores;
  api::GenerateOptions options;
  options.temperature = 0;
  options.forced = std::vector<int32_t>(tokens.begin(), tokens.end());
  options.callback = [&](const llcuda_step& step) {
    if (step.token >= 0)
      scores.push_back({step.token, step.forced >= 0 ? step.forced_log_probability : step.log_probability});
    return true;
  };
  if (const api::Generated done = session.generate(prompt, options); !done)
    return errorOf(*done.error);
  if (scores.size() != tokens.size())
    return internalError("the session reported ", scores.size(), " steps of ", tokens.size());
  return scores;
}

} // namespace llcuda::tools
