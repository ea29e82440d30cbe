// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/request_of.h"

#include <limits>

#include "runtime/server/api/constraint.h"

namespace llcuda::server {
namespace {

float narrow(double value) {
  return static_cast<float>(value);
}

int32_t narrow(int64_t value) {
  return static_cast<int32_t>(value);
}

/// FNV-1a. Who knows another's salt may share prefixes with it, so it has to be a secret anyway.
uint64_t saltOf(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

api::Sampler samplerOf(const Params& params) {
  api::Sampler sampler;
  sampler.stages = params.samplers;
  sampler.temperature = narrow(params.temperature);
  sampler.dynatempRange = narrow(params.dynatempRange);
  sampler.dynatempExponent = narrow(params.dynatempExponent);
  sampler.topK = narrow(params.topK);
  sampler.topP = narrow(params.topP);
  sampler.minP = narrow(params.minP);
  sampler.typicalP = narrow(params.typicalP);
  sampler.topNSigma = narrow(params.topNSigma);
  sampler.xtcProbability = narrow(params.xtcProbability);
  sampler.xtcThreshold = narrow(params.xtcThreshold);
  sampler.repeatLastN = narrow(params.repeatLastN);
  sampler.repeatPenalty = narrow(params.repeatPenalty);
  sampler.frequencyPenalty = narrow(params.frequencyPenalty);
  sampler.presencePenalty = narrow(params.presencePenalty);
  sampler.dryMultiplier = narrow(params.dryMultiplier);
  sampler.dryBase = narrow(params.dryBase);
  sampler.dryAllowedLength = narrow(params.dryAllowedLength);
  sampler.dryPenaltyLastN = narrow(params.dryPenaltyLastN);
  sampler.drySequenceBreakers = params.drySequenceBreakers;
  sampler.mirostat = narrow(params.mirostat);
  sampler.mirostatTau = narrow(params.mirostatTau);
  sampler.mirostatEta = narrow(params.mirostatEta);
  sampler.adaptiveTarget = narrow(params.adaptiveTarget);
  sampler.adaptiveDecay = narrow(params.adaptiveDecay);
  sampler.minKeep = static_cast<uint32_t>(params.minKeep);
  sampler.seed = params.seed;
  sampler.ignoreEos = params.ignoreEos;
  for (const LogitBias& entry : params.logitBias)
    sampler.logitBias.push_back(
        {narrow(entry.token), entry.forbids ? -std::numeric_limits<float>::infinity() : narrow(entry.bias)});
  return sampler;
}

/// What is wrong with a schema or grammar, by the field that it came with. A call's is made of the tools' schemas.
ApiError grammarError(const api::Error& error, const Params& params) {
  const bool isOfTools = params.tools.is_array() && !params.tools.empty();
  const std::string field(isOfTools ? "tools" : constraintField(params));
  ApiError result = errorOf(error);
  result.message = "Field '" + field + "': " + error.message;
  result.param = field;
  return result;
}

} // namespace

ApiError failureOf(const llcuda_event& event) {
  if (event.status == LLCUDA_CANCELLED)
    return {.status = 503, .message = "the server is stopping", .retryAfter = 10};
  return errorOf(api::Error{static_cast<llcuda_status>(event.status), event.message});
}

Checked<api::Request> requestOf(const Params& params, const std::optional<ChatGrammar>& grammar,
                                const Service& service) {
  api::Request request;
  request.maxTokens = static_cast<int32_t>(params.maxTokens);
  request.sampler = samplerOf(params);
  request.postSamplingProbs = params.postSamplingProbs;
  request.stop = params.stop;
  request.ignoreStop = params.ignoreEos;
  request.prefixCache = params.cachePrompt;
  request.cacheSalt = params.cacheSalt.empty() ? 0 : saltOf(params.cacheSalt);
  request.fairKey = params.key;
  request.priority = static_cast<int32_t>(params.priority);
  if (grammar) {
    const auto made = service.engine().createGrammar(static_cast<llcuda_grammar_kind>(grammar->kind), grammar->text);
    if (!made)
      return grammarError(made.error(), params);
    request.grammar = *made;
    request.grammarTriggers = grammar->triggers;
  }
  return request;
}

api::Request embeddingRequestOf(std::vector<int32_t> prompt, const Params& params, const Service& service) {
  api::Request request;
  request.tokens = std::move(prompt);
  request.task = LLCUDA_TASK_EMBED;
  request.pooling = service.options().pooling.value_or(LLCUDA_POOLING_DEFAULT);
  request.priority = static_cast<int32_t>(params.priority);
  request.fairKey = params.key;
  return request;
}

} // namespace llcuda::server
