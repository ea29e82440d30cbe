// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/answer_parts.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <span>

namespace llcuda::server {
namespace {

double ratio(double of, double by) {
  return by > 0 ? of / by : 0;
}

/// JSON has no infinity: a token that cannot come gets the lowest float.
double finite(float value) {
  return std::isfinite(value) ? value : static_cast<double>(std::numeric_limits<float>::lowest());
}

Json bytesJson(const std::string& bytes) {
  Json list = Json::array();
  for (const char byte : bytes) list.push_back(static_cast<unsigned char>(byte));
  return list;
}

Json likelyJson(int32_t id, const std::string& bytes, float logProbability, bool asProbability) {
  Json json = {{"id", id}, {"token", wellFormed(bytes)}, {"bytes", bytesJson(bytes)}};
  if (asProbability)
    json["prob"] = std::exp(static_cast<double>(logProbability));
  else
    json["logprob"] = finite(logProbability);
  return json;
}

std::string base64(std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) group = group << 8 | (k < count ? bytes[i + k] : 0u);
    for (std::size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

/// 32-bit floats, little-endian.
std::vector<uint8_t> bytesOf(const std::vector<float>& values) {
  std::vector<uint8_t> bytes;
  for (const float value : values)
    for (int shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<uint8_t>(std::bit_cast<uint32_t>(value) >> shift));
  return bytes;
}

} // namespace

Json embeddingJson(const std::vector<float>& values, bool asBase64) {
  return asBase64 ? Json(base64(bytesOf(values))) : Json(values);
}

Header queueHeader(std::chrono::steady_clock::time_point arrival, std::chrono::steady_clock::time_point begun) {
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(begun - arrival).count();
  return {"x-llcuda-queue-ms", std::to_string(waited)};
}

Timings& Timings::operator+=(const Timings& other) {
  promptTokens += other.promptTokens;
  cachedTokens += other.cachedTokens;
  generated += other.generated;
  promptMs += other.promptMs;
  generatedMs += other.generatedMs;
  draftTokens += other.draftTokens;
  acceptedDraftTokens += other.acceptedDraftTokens;
  return *this;
}

Json timingsJson(const Timings& timings) {
  const auto computed = static_cast<double>(timings.promptTokens - timings.cachedTokens);
  const double steps = timings.generated > 1 ? static_cast<double>(timings.generated - 1) : 0;
  Json json = {{"cache_n", timings.cachedTokens},
               {"prompt_n", timings.promptTokens - timings.cachedTokens},
               {"prompt_ms", timings.promptMs},
               {"prompt_per_token_ms", ratio(timings.promptMs, computed)},
               {"prompt_per_second", ratio(1e3 * computed, timings.promptMs)},
               {"predicted_n", timings.generated},
               {"predicted_ms", timings.generatedMs},
               {"predicted_per_token_ms", ratio(timings.generatedMs, steps)},
               {"predicted_per_second", ratio(1e3, timings.generatedMs) * steps}};
  if (timings.draftTokens != 0) {
    json["draft_n"] = timings.draftTokens;
    json["draft_n_accepted"] = timings.acceptedDraftTokens;
  }
  return json;
}

Json progressJson(const Progress& progress) {
  return {{"total", progress.total},
          {"cache", progress.cached},
          {"processed", progress.computed},
          {"time_ms", static_cast<int64_t>(progress.milliseconds)}};
}

Json usageJson(std::size_t promptTokens, std::size_t cachedTokens, std::size_t generated, std::size_t reasoning) {
  return {{"prompt_tokens", promptTokens},
          {"completion_tokens", generated},
          {"total_tokens", promptTokens + generated},
          {"prompt_tokens_details", {{"cached_tokens", cachedTokens}}},
          {"completion_tokens_details", {{"reasoning_tokens", reasoning}}}};
}

Json tokenJson(const ReportedToken& token, bool asProbabilities) {
  Json json = likelyJson(token.id, token.bytes, token.logProbability, asProbabilities);
  Json top = Json::array();
  for (const ReportedToken::Likely& likely : token.top)
    if (!asProbabilities || std::exp(static_cast<double>(likely.logProbability)) > 0)
      top.push_back(likelyJson(likely.id, likely.bytes, likely.logProbability, asProbabilities));
  json[asProbabilities ? "top_probs" : "top_logprobs"] = std::move(top);
  return json;
}

Json chatLogprobs(const std::vector<ReportedToken>& tokens, bool asProbabilities) {
  Json content = Json::array();
  for (const ReportedToken& token : tokens) content.push_back(tokenJson(token, asProbabilities));
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

Json legacyLogprobs(const std::vector<ReportedToken>& tokens, bool firstIsNull, std::size_t offset) {
  Json texts = Json::array(), own = Json::array(), tops = Json::array(), offsets = Json::array();
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool isNull = i == 0 && firstIsNull;
    texts.push_back(wellFormed(tokens[i].bytes));
    own.push_back(isNull ? Json() : Json(finite(tokens[i].logProbability)));
    Json top = isNull ? Json() : Json::object();
    // Two tokens may have one text: the likelier one comes first and stays.
    for (const ReportedToken::Likely& likely : tokens[i].top)
      if (const std::string text = wellFormed(likely.bytes); !isNull && !top.contains(text))
        top[text] = finite(likely.logProbability);
    tops.push_back(std::move(top));
    offsets.push_back(offset);
    offset += characters(wellFormed(tokens[i].bytes));
  }
  return {{"tokens", std::move(texts)},
          {"token_logprobs", std::move(own)},
          {"top_logprobs", std::move(tops)},
          {"text_offset", std::move(offsets)}};
}

Json promptLogprobs(const std::vector<ReportedToken>& tokens) {
  Json list = Json::array({nullptr});
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    Json entry = {{std::to_string(tokens[i].id),
                   {{"logprob", finite(tokens[i].logProbability)},
                    {"rank", nullptr},
                    {"decoded_token", wellFormed(tokens[i].bytes)}}}};
    for (std::size_t rank = 0; rank < tokens[i].top.size(); ++rank) {
      const ReportedToken::Likely& likely = tokens[i].top[rank];
      entry[std::to_string(likely.id)] = {
          {"logprob", finite(likely.logProbability)}, {"rank", rank + 1}, {"decoded_token", wellFormed(likely.bytes)}};
    }
    list.push_back(std::move(entry));
  }
  return list;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char byte) { return (byte & 0xc0) != 0x80; }));
}

std::string randomId(std::size_t length) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  thread_local std::mt19937_64 random{std::random_device{}()};
  std::uniform_int_distribution<std::size_t> any(0, kLetters.size() - 1);
  std::string id(length, ' ');
  for (char& letter : id) letter = kLetters[any(random)];
  return id;
}

std::string wellFormed(std::string_view bytes) {
  const std::string quoted = Json(bytes).dump(-1, ' ', false, Json::error_handler_t::replace);
  return Json::parse(quoted).get<std::string>();
}

} // namespace llcuda::server
