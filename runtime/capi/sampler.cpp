// SPDX-License-Identifier: Apache-2.0
#include "runtime/capi/sampler.h"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string_view>

#include "runtime/capi/boundary.h"

namespace llcuda::capi {
namespace {

constexpr const char* kDefaultStages = "edskypmxt";
constexpr std::size_t kMaxStages = 12, kMaxBiases = 1024, kMaxBreakers = 64, kMaxBreakerBytes = 256;
constexpr const char* kDefaultBreakers[] = {"\n", ":", "\"", "*"};

/// A number of llcuda_sampler, and what it may be.
struct NumberRule {
  const char* name;
  float llcuda_sampler::*value;
  float least;
  float most;
  bool excludesLeast = false;
};
constexpr float kLargest = 1e6f;
constexpr NumberRule kNumbers[] = {
    {"temperature", &llcuda_sampler::temperature, -kLargest, kLargest},
    {"dynatemp_range", &llcuda_sampler::dynatemp_range, 0, kLargest},
    {"dynatemp_exponent", &llcuda_sampler::dynatemp_exponent, 0, kLargest},
    {"top_p", &llcuda_sampler::top_p, 0, 1, true},
    {"min_p", &llcuda_sampler::min_p, 0, 1},
    {"typical_p", &llcuda_sampler::typical_p, 0, 1, true},
    {"top_n_sigma", &llcuda_sampler::top_n_sigma, -kLargest, kLargest},
    {"xtc_probability", &llcuda_sampler::xtc_probability, 0, 1},
    {"xtc_threshold", &llcuda_sampler::xtc_threshold, 0, 1},
    {"repeat_penalty", &llcuda_sampler::repeat_penalty, 0, kLargest, true},
    {"frequency_penalty", &llcuda_sampler::frequency_penalty, -kLargest, kLargest},
    {"presence_penalty", &llcuda_sampler::presence_penalty, -kLargest, kLargest},
    {"dry_multiplier", &llcuda_sampler::dry_multiplier, 0, kLargest},
    {"dry_base", &llcuda_sampler::dry_base, 0, kLargest},
    {"mirostat_tau", &llcuda_sampler::mirostat_tau, 0, kLargest},
    {"mirostat_eta", &llcuda_sampler::mirostat_eta, 0, kLargest},
    {"adaptive_target", &llcuda_sampler::adaptive_target, -kLargest, 1},
    {"adaptive_decay", &llcuda_sampler::adaptive_decay, 0, 0.99f},
};

struct IntegerRule {
  const char* name;
  int32_t llcuda_sampler::*value;
  int32_t least;
  int32_t most;
};
constexpr int32_t kLargestInteger = std::numeric_limits<int32_t>::max();
constexpr IntegerRule kIntegers[] = {
    {"top_k", &llcuda_sampler::top_k, -1, kLargestInteger},
    {"repeat_last_n", &llcuda_sampler::repeat_last_n, -1, kLargestInteger},
    {"dry_allowed_length", &llcuda_sampler::dry_allowed_length, 0, kLargestInteger},
    {"dry_penalty_last_n", &llcuda_sampler::dry_penalty_last_n, -1, kLargestInteger},
    {"mirostat", &llcuda_sampler::mirostat, 0, 2},
};

Result<void> checkNumbers(const llcuda_sampler& sampler) {
  for (const NumberRule& rule : kNumbers) {
    const float value = sampler.*rule.value;
    if (!(value >= rule.least && value <= rule.most) || (rule.excludesLeast && value == rule.least))
      return usageError(rule.name, " is ", value, ", allowed are ",
                        rule.excludesLeast ? detail::concat("above ", rule.least, " and up to ")
                                           : detail::concat(rule.least, " to "),
                        rule.most);
  }
  for (const IntegerRule& rule : kIntegers)
    if (const int32_t value = sampler.*rule.value; value < rule.least || value > rule.most)
      return usageError(rule.name, " is ", value, ", allowed are ", rule.least, " to ", rule.most);
  if (sampler.min_keep > static_cast<uint32_t>(kLargestInteger))
    return usageError("min_keep is ", sampler.min_keep, ", allowed are 0 to ", kLargestInteger);
  return {};
}

Result<void> checkStages(std::string_view stages) {
  if (stages.size() > kMaxStages)
    return usageError("stages has ", stages.size(), " letters, allowed are up to ", kMaxStages);
  for (const char letter : stages)
    if (std::string_view("edskypmxta").find(letter) == std::string_view::npos)
      return usageError("stages has the letter '", letter, "', allowed are e d s k y p m x t a");
  return {};
}

Result<void> checkLists(const llcuda_sampler& sampler, uint32_t vocabulary) {
  if (sampler.logit_bias_count > kMaxBiases)
    return usageError("logit_bias has ", sampler.logit_bias_count, " entries, allowed are up to ", kMaxBiases);
  if (!sampler.logit_bias && sampler.logit_bias_count != 0)
    return usageError("logit_bias is NULL and logit_bias_count is ", sampler.logit_bias_count);
  for (std::size_t i = 0; i < sampler.logit_bias_count; ++i) {
    const llcuda_logit_bias& bias = sampler.logit_bias[i];
    if (bias.token < 0 || static_cast<uint32_t>(bias.token) >= vocabulary)
      return usageError("logit_bias[", i, "].token is ", bias.token, ", the vocabulary has ", vocabulary);
    if (!(bias.bias <= std::numeric_limits<float>::max()))
      return usageError("logit_bias[", i, "].bias is ", bias.bias, ", allowed are finite numbers and -INFINITY");
  }
  if (sampler.dry_sequence_breaker_count > kMaxBreakers)
    return usageError("dry_sequence_breakers has ", sampler.dry_sequence_breaker_count, " strings, allowed are up to ",
                      kMaxBreakers);
  if (!sampler.dry_sequence_breakers && sampler.dry_sequence_breaker_count != 0)
    return usageError("dry_sequence_breakers is NULL and dry_sequence_breaker_count is ",
                      sampler.dry_sequence_breaker_count);
  for (std::size_t i = 0; i < sampler.dry_sequence_breaker_count; ++i) {
    const char* const breaker = sampler.dry_sequence_breakers[i];
    if (!breaker)
      return usageError("dry_sequence_breakers[", i, "] is NULL");
    const std::size_t bytes =
        sampler.dry_sequence_breaker_bytes ? sampler.dry_sequence_breaker_bytes[i] : std::strlen(breaker);
    if (bytes == 0 || bytes > kMaxBreakerBytes)
      return usageError("dry_sequence_breakers[", i, "] has ", bytes, " bytes, allowed are 1 to ", kMaxBreakerBytes);
  }
  return {};
}

/// What the device's chain does not do.
Result<void> checkKnown(const llcuda_sampler& sampler, std::string_view stages) {
  const auto has = [&](char letter) { return stages.find(letter) != std::string_view::npos; };
  const bool penalises = sampler.repeat_last_n != 0 && (sampler.repeat_penalty != 1 || sampler.frequency_penalty != 0 ||
                                                        sampler.presence_penalty != 0);
  const std::pair<const char*, bool> active[] = {
      {"penalties", has('e') && penalises},
      {"dry", has('d') && sampler.dry_multiplier > 0 && sampler.dry_base >= 1 && sampler.dry_penalty_last_n != 0},
      {"top_n_sigma", has('s') && sampler.top_n_sigma > 0},
      {"typical_p", has('y') && sampler.typical_p < 1},
      {"xtc_probability", has('x') && sampler.xtc_probability > 0 && sampler.xtc_threshold <= 0.5f},
      {"dynatemp_range", has('t') && sampler.dynatemp_range > 0},
      {"adaptive_target", has('a') && sampler.adaptive_target >= 0},
      {"mirostat", sampler.mirostat != 0},
      {"min_keep", sampler.min_keep > 1},
      {"ignore_eos", sampler.ignore_eos != 0},
      {"logit_bias", sampler.logit_bias_count != 0},
  };
  for (const auto& [name, isActive] : active)
    if (isActive)
      return unsupported(name, " is not there in this version; leave it at its default");
  std::string filters;
  for (const char letter : stages)
    if (std::string_view("kpmt").find(letter) != std::string_view::npos)
      filters += letter;
  for (std::size_t i = 1; i < filters.size(); ++i)
    if (std::string_view("kpmt").find(filters[i - 1]) >= std::string_view("kpmt").find(filters[i]))
      return unsupported("stages has '", filters[i], "' behind '", filters[i - 1],
                         "'; this version applies k, p, m, t in this order, each once");
  return {};
}

uint64_t randomSeed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

} // namespace

llcuda_sampler defaultSampler() {
  llcuda_sampler sampler = {};
  sampler.struct_bytes = sizeof(sampler);
  sampler.temperature = 0.8f;
  sampler.dynatemp_exponent = 1;
  sampler.top_k = 40;
  sampler.top_p = 0.95f;
  sampler.min_p = 0.05f;
  sampler.typical_p = 1;
  sampler.top_n_sigma = -1;
  sampler.xtc_threshold = 0.1f;
  sampler.repeat_last_n = 64;
  sampler.repeat_penalty = 1;
  sampler.dry_base = 1.75f;
  sampler.dry_allowed_length = 2;
  sampler.dry_penalty_last_n = 64;
  sampler.dry_sequence_breakers = kDefaultBreakers;
  sampler.dry_sequence_breaker_count = std::size(kDefaultBreakers);
  sampler.mirostat_tau = 5;
  sampler.mirostat_eta = 0.1f;
  sampler.adaptive_target = -1;
  sampler.adaptive_decay = 0.9f;
  return sampler;
}

Result<SamplingParams> samplerOf(const llcuda_sampler* given, uint32_t vocabulary) {
  LLCUDA_ASSIGN_OR_RETURN(const llcuda_sampler sampler, optionsOf(given, defaultSampler()));
  const std::string_view stages = sampler.stages ? sampler.stages : kDefaultStages;
  LLCUDA_RETURN_IF_ERROR(checkStages(stages));
  LLCUDA_RETURN_IF_ERROR(checkNumbers(sampler));
  LLCUDA_RETURN_IF_ERROR(checkLists(sampler, vocabulary));
  LLCUDA_RETURN_IF_ERROR(checkKnown(sampler, stages));
  const auto has = [&](char letter) { return stages.find(letter) != std::string_view::npos; };
  SamplingParams params = {};
  params.temperature = has('t') ? sampler.temperature : 1;
  params.topP = has('p') ? sampler.top_p : 1;
  params.minP = has('m') ? sampler.min_p : 0;
  params.topK = has('k') && sampler.top_k > 0 ? static_cast<uint32_t>(sampler.top_k) : 0;
  params.seed = sampler.has_seed ? sampler.seed : randomSeed();
  return params;
}

} // namespace llcuda::capi

void llcuda_sampler_init(llcuda_sampler* sampler) {
  *sampler = llcuda::capi::defaultSampler();
}
