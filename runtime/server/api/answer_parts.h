// SPDX-License-Identifier: Apache-2.0
// Parts that the answers of several endpoints have in common.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/server/api/error_body.h"
#include "runtime/server/http/exchange.h"

namespace llcuda::server {

/// A token of an answer. `bytes` may be no UTF-8 by itself.
struct ReportedToken {
  int32_t id = 0;
  std::string bytes;
  float logProbability = 0;
  struct Likely {
    int32_t id = 0;
    std::string bytes;
    float logProbability = 0;
  };
  std::vector<Likely> top; ///< best first
};

/// How long a request waited for its first step.
Header queueHeader(std::chrono::steady_clock::time_point arrival, std::chrono::steady_clock::time_point begun);

/// How much of a prompt is computed.
struct Progress {
  std::size_t total = 0, cached = 0, computed = 0;
  double milliseconds = 0;
};

/// Counts and times of one choice, or of several together.
struct Timings {
  std::size_t promptTokens = 0, cachedTokens = 0, generated = 0;
  double promptMs = 0, generatedMs = 0;
  std::size_t draftTokens = 0, acceptedDraftTokens = 0; ///< guessed ahead, and of them right

  Timings& operator+=(const Timings& other);
};

/// llama-server's `timings`. All numbers are finite; rates count decode steps, one less than the tokens.
/// Drafts are there where there were any.
Json timingsJson(const Timings& timings);
Json progressJson(const Progress& progress);
Json usageJson(std::size_t promptTokens, std::size_t cachedTokens, std::size_t generated, std::size_t reasoning);

/// {id, token, bytes, logprob, top_logprobs}; or prob and top_probs where probabilities are wanted.
Json tokenJson(const ReportedToken& token, bool asProbabilities);
/// OpenAI's log-probabilities of a chat: {"content": [...], "refusal": null}, of tokenJson().
Json chatLogprobs(const std::vector<ReportedToken>& tokens, bool asProbabilities);
/// The completions' older form. The first token has none where `firstIsNull`; `offset`: characters in front.
Json legacyLogprobs(const std::vector<ReportedToken>& tokens, bool firstIsNull, std::size_t offset);

/// vLLM's list of the prompt's tokens: null for the first, then {"ID": {logprob, rank, decoded_token}} of the token
/// that stands there and of the most likely ones. A rank is null where the token is not among these.
Json promptLogprobs(const std::vector<ReportedToken>& tokens);

/// An embedding: numbers, or base64 of 32-bit floats, little-endian.
Json embeddingJson(const std::vector<float>& values, bool asBase64);

/// Characters of UTF-8.
std::size_t characters(std::string_view text);

/// So many random letters and digits.
std::string randomId(std::size_t length);

/// The text with U+FFFD for bytes that are no UTF-8.
std::string wellFormed(std::string_view bytes);

} // namespace llcuda::server
