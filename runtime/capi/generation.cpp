// SPDX-License-Identifier: Apache-2.0
#include "runtime/capi/generation.h"

#include <string>
#include <utility>

#include "runtime/capi/sampler.h"
#include "runtime/text/text_stream.h"

namespace llcuda::capi {
namespace {

static_assert(static_cast<int>(StopReason::kNone) == LLCUDA_STOP_NONE &&
              static_cast<int>(StopReason::kToken) == LLCUDA_STOP_TOKEN &&
              static_cast<int>(StopReason::kLength) == LLCUDA_STOP_LENGTH &&
              static_cast<int>(StopReason::kContext) == LLCUDA_STOP_CONTEXT &&
              static_cast<int>(StopReason::kCallback) == LLCUDA_STOP_CALLBACK &&
              static_cast<int>(StopReason::kForced) == LLCUDA_STOP_FORCED);

/// Turns generated tokens into steps of the C interface.
class StepCaller {
public:
  /// `tokenizer` may be null: steps then have no text.
  StepCaller(const llcuda_generate_options& options, const text::Tokenizer* tokenizer) : options(options) {
    if (tokenizer)
      stream.emplace(*tokenizer, options.special_text != 0);
  }

  /// False when the callback ends the generation.
  bool onToken(const GeneratedToken& token) {
    const std::string text = stream && !token.stops ? stream->push(token.token) : std::string();
    std::vector<llcuda_candidate> top;
    for (const Candidate& candidate : token.top) top.push_back({candidate.token, candidate.logProbability});
    llcuda_step step = {};
    step.struct_bytes = sizeof(step);
    step.token = token.token;
    step.index = token.index;
    step.text = text.data();
    step.text_bytes = text.size();
    step.stops = token.stops;
    step.top_count = static_cast<uint32_t>(top.size());
    step.top = top.data();
    step.log_probability = token.logProbability;
    step.forced = token.forced ? token.forced->token : -1;
    step.forced_log_probability = token.forced ? token.forced->logProbability : 0.f;
    count = token.index + 1;
    return options.callback(&step, options.user) == 0;
  }

  /// Hands out what was held back. It is the last call, so its answer means nothing.
  void finish() {
    const std::string text = stream ? stream->finish() : std::string();
    if (text.empty())
      return;
    llcuda_step step = {};
    step.struct_bytes = sizeof(step);
    step.token = step.forced = -1;
    step.index = count;
    step.text = text.data();
    step.text_bytes = text.size();
    (void)options.callback(&step, options.user);
  }

private:
  const llcuda_generate_options& options;
  std::optional<text::TextStream> stream;
  uint32_t count = 0;
};

Result<GenerateOptions> converted(const llcuda_generate_options& options, EngineState& engine) {
  if (options.max_tokens < -1)
    return usageError("max_tokens is ", options.max_tokens, ", allowed are -1 and more");
  if (!options.forced && options.forced_count != 0)
    return usageError("forced is NULL and forced_count is ", options.forced_count);
  GenerateOptions result;
  result.maxTokens = options.max_tokens;
  LLCUDA_ASSIGN_OR_RETURN(result.sampler, samplerOf(options.sampler, engine));
  result.sampling = result.sampler.params();
  result.logprobs = options.logprobs;
  if (options.forced)
    result.forced = std::span(options.forced, options.forced_count);
  if (!options.ignore_stop)
    result.isStop = [&config = engine.textConfig()](int32_t token) { return config.endsGeneration(token); };
  return result;
}

} // namespace

llcuda_generate_options defaultGenerateOptions() {
  llcuda_generate_options options = {};
  options.struct_bytes = sizeof(options);
  options.max_tokens = -1;
  return options;
}

Result<void> generate(llcuda_session& session, std::span<const int32_t> tokens, const llcuda_generate_options* given) {
  LLCUDA_ASSIGN_OR_RETURN(const llcuda_generate_options options, optionsOf(given, defaultGenerateOptions()));
  LLCUDA_ASSIGN_OR_RETURN(GenerateOptions wanted, converted(options, *session.engine));
  if (!options.callback)
    return session.sequence->generate(tokens, wanted, session.metrics);

  const text::Tokenizer* tokenizer = nullptr;
  if (session.engine->hasTokenizer()) {
    LLCUDA_ASSIGN_OR_RETURN(tokenizer, session.engine->tokenizer());
  }
  StepCaller caller(options, tokenizer);
  wanted.onToken = [&caller](const GeneratedToken& token) { return caller.onToken(token); };
  Result<void> result = session.sequence->generate(tokens, wanted, session.metrics);
  if (result)
    caller.finish();
  return result;
}

llcuda_metrics metricsOf(const Metrics& metrics) {
  llcuda_metrics result = {};
  result.prompt_tokens = metrics.promptTokens;
  result.generated_tokens = metrics.generatedTokens;
  result.decode_steps = metrics.decodeSteps;
  result.first_token_ns = metrics.firstTokenNs;
  result.prompt_ns = metrics.promptNs;
  result.decode_ns = metrics.decodeNs;
  result.stop_reason = static_cast<int32_t>(metrics.stop);
  result.seed = metrics.seed;
  return result;
}

} // namespace llcuda::capi
