// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/self_check.h"

#include <algorithm>
#include <cmath>

#include "codegen/formats/kv_names.h"

namespace llcuda {
namespace {

constexpr uint32_t kTop = 5; // entries of golden.top for each token
constexpr float kLargestMeanError = 0.1f;
/// A lead that int8 activations do not turn. Single errors reach six times their mean, and those of two tokens add up:
/// SmolLM2 in Q4_1, mean 0.058, largest 0.33, lost a lead of 0.64 in one order of its sums and none in another.
constexpr float kDecisiveMargin = 10 * kLargestMeanError;
/// With a coarse cache: what int8 activations change is rounded to other codes there. SmolLM2 in q8_0 and
/// q4_0 has 0.17.
constexpr float kLargestMeanErrorOfCoarseCache = 0.3f;

/// Of a pool's type, which was checked when the engine was opened; an engine without a cache has none.
bool isCoarse(std::string_view typeName) {
  const auto type = kvTypeByName(typeName);
  return type && kvFacts(*type).coarse;
}

float largestMeanError(const Engine& engine) {
  return isCoarse(engine.cacheType(fb::KvPart::keys)) || isCoarse(engine.cacheType(fb::KvPart::values))
             ? kLargestMeanErrorOfCoarseCache
             : kLargestMeanError;
}

/// Sums up differences, position by position.
class Comparison {
public:
  Comparison(SelfCheckReport& report, float largestMeanError) : report(report), largestMeanError(largestMeanError) {}

  Result<void> add(const fb::Golden& golden, uint32_t position, const GeneratedToken& token) {
    LLCUDA_ASSIGN_OR_RETURN(const LogProbabilities probabilities, LogProbabilities::of(token.logits));
    const fb::TokenProbability& best = *golden.top()->Get(kTop * position);
    const fb::TokenProbability& second = *golden.top()->Get(kTop * position + 1);
    const float error = std::abs(probabilities[best.token()] - best.log_probability());
    ++report.positions;
    errorSum += error;
    report.maxError = std::max(report.maxError, error);
    report.meanError = static_cast<float>(errorSum / report.positions);
    if (probabilities.top(1)[0].token != best.token()) {
      ++report.different;
      report.decisiveDifferent += best.log_probability() - second.log_probability() >= kDecisiveMargin;
    }
    return {};
  }

  Result<void> verdict() const {
    if (report.decisiveDifferent != 0)
      return makeError(ErrorCode::kSelfCheckFailed, "self-check failed: another token is best at ",
                       report.decisiveDifferent, " of ", report.positions,
                       " positions where the recorded one leads by ", kDecisiveMargin,
                       " or more; compile the model again");
    if (!(report.meanError <= largestMeanError))
      return makeError(ErrorCode::kSelfCheckFailed, "self-check failed: log-probabilities differ by ", report.meanError,
                       " on average, allowed are ", largestMeanError, "; compile the model again");
    return {};
  }

private:
  SelfCheckReport& report;
  const float largestMeanError;
  double errorSum = 0;
};

/// Steps through the tokens one by one, and then runs them as one prompt.
Result<void> runRecord(const fb::Golden& golden, Sequence& sequence, Comparison& comparison) {
  const std::vector<int32_t> tokens(golden.tokens()->begin(), golden.tokens()->end());
  const auto count = static_cast<uint32_t>(tokens.size());
  Result<void> added;
  uint32_t offset = 0;
  GenerateOptions options;
  options.onToken = [&](const GeneratedToken& token) {
    added = comparison.add(golden, token.index + offset, token);
    return added.ok();
  };
  // Steps read what they are told, so step i answers for the first i + 1 tokens; what replaces the last answer is
  // computed by nobody.
  std::vector<int32_t> successors(tokens.begin() + 1, tokens.end());
  successors.push_back(tokens[0]);
  Metrics metrics;
  const auto run = [&](std::size_t promptTokens, std::span<const int32_t> forced) -> Result<void> {
    LLCUDA_RETURN_IF_ERROR(sequence.rewind(0));
    options.forced = forced;
    LLCUDA_RETURN_IF_ERROR(sequence.generate(std::span(tokens).first(promptTokens), options, metrics));
    return std::move(added);
  };
  LLCUDA_RETURN_IF_ERROR(run(1, successors));
  offset = count - 1;
  return run(count, std::span(successors).last(1));
}

} // namespace

Result<void> selfCheck(const Engine& engine, Sequence& sequence, SelfCheckReport& report) {
  report = {};
  const fb::Engine& metadata = engine.metadata();
  if (!metadata.golden())
    return unsupported(engine.path(), ": holds no recorded values to check against");
  Comparison comparison(report, largestMeanError(engine));
  LLCUDA_RETURN_IF_ERROR(runRecord(*metadata.golden(), sequence, comparison));
  if (metadata.golden_prompts())
    for (const fb::Golden* prompt : *metadata.golden_prompts())
      LLCUDA_RETURN_IF_ERROR(runRecord(*prompt, sequence, comparison));
  LLCUDA_RETURN_IF_ERROR(sequence.rewind(0));
  return comparison.verdict();
}

} // namespace llcuda
