// SPDX-License-Identifier: Apache-2.0
// What a request asks for, after its fields were read: fields.h says which field goes where. Defaults are those of
// llama.cpp; the server's flags and the model's own stand over them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/server/api/error_body.h"

namespace llcuda::server {

/// Of logit_bias: the tokens of `text` where it is not empty, else `token`. `forbids`: the bias is minus infinity.
struct LogitBias {
  int64_t token = -1;
  std::string text = {};
  double bias = 0;
  bool forbids = false;
};

struct Params {
  // Sampling.
  double temperature = 0.8, dynatempRange = 0, dynatempExponent = 1;
  int64_t topK = 40;
  double topP = 0.95, minP = 0.05, typicalP = 1, topNSigma = -1;
  double xtcProbability = 0, xtcThreshold = 0.1;
  int64_t repeatLastN = 64;
  double repeatPenalty = 1, frequencyPenalty = 0, presencePenalty = 0;
  double dryMultiplier = 0, dryBase = 1.75;
  int64_t dryAllowedLength = 2, dryPenaltyLastN = 64;
  std::vector<std::string> drySequenceBreakers = {"\n", ":", "\"", "*"};
  int64_t mirostat = 0;
  double mirostatTau = 5, mirostatEta = 0.1;
  double adaptiveTarget = -1, adaptiveDecay = 0.9;
  int64_t minKeep = 0;
  std::string samplers = "edskypmxt"; ///< letters of the stages, in their order
  std::optional<uint64_t> seed = {};  ///< nothing: a random one
  std::vector<LogitBias> logitBias = {};

  // Length.
  int64_t maxTokens = -1; ///< -1: until it stops or the context ends
  std::vector<std::string> stop = {};
  bool ignoreEos = false;
  int64_t n = 1;

  // What comes back.
  bool stream = false, includeUsage = false, returnProgress = false, timingsPerToken = false, returnTokens = false;
  bool verbose = false, echo = false, postSamplingProbs = false;
  bool logprobs = false;       ///< the chat's switch
  int64_t topLogprobs = 0;     ///< with `logprobs`
  int64_t legacyLogprobs = -1; ///< of /v1/completions; -1: none
  int64_t promptLogprobs = -1; ///< -1: none
  int64_t nProbs = 0;
  std::vector<std::string> responseFields = {}; ///< paths with slashes; none: all

  // Input.
  Json messages = {}, prompt = {}, input = {};
  std::optional<std::string> model = {};

  // Chats.
  Json tools = {}, toolChoice = {}, templateKwargs = {};
  bool parallelToolCalls = true;
  std::string reasoningEffort = {}, reasoningFormat = {};
  int64_t reasoningBudget = -1; ///< tokens; -1: any number
  std::string reasoningMessage = {};
  std::optional<bool> addGenerationPrompt = {}, continueFinalMessage = {};

  // Constraints, at most one.
  std::string grammar = {}, regex = {};
  Json jsonSchema = {}, responseFormat = {};

  // Embeddings.
  bool base64 = false;
  int64_t dimensions = 0; ///< 0: all

  // Ranking.
  std::string query = {};
  std::vector<std::string> documents = {};
  int64_t topN = 0; ///< 0: all
  bool returnDocuments = false;

  // Running.
  bool cachePrompt = true;
  int64_t priority = 0;
  std::string cacheSalt = {};
  std::string key = {}; ///< who asks, for fairness; no field: the name of the key that came with the request
};

} // namespace llcuda::server
