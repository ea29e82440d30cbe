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

Result<EngineScores> EngineScores::open(const std::string& path, const api::SessionOptions& given) {
  auto engine = api::Engine::open(path);
  if (!engine)
    return errorOf(engine.error());
  api::SessionOptions options = given;
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
  options.sampler = api::Sampler::greedy();
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

Result<reference::LogitsRows> EngineScores::rows(std::span<const int32_t> prompt, std::span<const int32_t> forced) {
  if (auto rewound = session.rewind(0); !rewound)
    return errorOf(rewound.error());
  const uint32_t vocabulary = engine.info().vocabulary;
  reference::LogitsRows rows;
  api::GenerateOptions options;
  options.sampler = api::Sampler::greedy();
  options.logprobs = vocabulary;
  options.forced = std::vector<int32_t>(forced.begin(), forced.end());
  options.callback = [&](const llcuda_step& step) {
    std::vector<double> row(vocabulary);
    for (uint32_t i = 0; i < step.top_count; ++i)
      row[static_cast<size_t>(step.top[i].token)] = static_cast<double>(step.top[i].log_probability);
    rows.push_back(std::move(row));
    return true;
  };
  if (const api::Generated done = session.generate(prompt, options); !done)
    return errorOf(*done.error);
  if (rows.size() < forced.size())
    return internalError("the session reported ", rows.size(), " steps of ", forced.size());
  return rows;
}

Result<reference::LogitsRows> EngineScores::promptLogits(std::span<const int32_t> tokens,
                                                         std::span<const size_t> positions) {
  reference::LogitsRows found;
  for (const size_t position : positions) {
    const int32_t any = tokens[position];
    LLCUDA_ASSIGN_OR_RETURN(const auto steps, rows(tokens.first(position + 1), {&any, 1}));
    found.push_back(steps.front());
  }
  return found;
}

Result<reference::LogitsRows> EngineScores::stepLogits(std::span<const int32_t> tokens,
                                                       std::span<const size_t> positions) {
  // The model's choice after the last token is asked for by a token that takes its place and is not looked at.
  std::vector<int32_t> forced(tokens.begin() + 1, tokens.end());
  forced.push_back(tokens.front());
  LLCUDA_ASSIGN_OR_RETURN(const auto steps, rows(tokens.first(1), forced));
  reference::LogitsRows found;
  for (const size_t position : positions) found.push_back(steps[position]);
  return found;
}

} // namespace llcuda::tools
