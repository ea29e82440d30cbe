// SPDX-License-Identifier: Apache-2.0
#include "runtime/capi/sampler.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <span>
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

/// The stages that do something, in their order.
class ProgramBuilder {
public:
  explicit ProgramBuilder(const llcuda_sampler& given) : given(given) {}

  SamplerProgram build(std::string_view stages) {
    if (given.mirostat != 0)
      addMirostat();
    else
      for (const char letter : stages) add(letter);
    program.minKeep = given.min_keep;
    program.dynatempExponent = given.dynatemp_exponent;
    return program;
  }

private:
  void add(SamplerOp op, float a = 0, float b = 0, uint32_t n = 0) {
    program.stages[program.stageCount++] = {op, a, b, n};
  }
  void add(char letter) {
    switch (letter) {
    case 'e':
      return addPenalties();
    case 'd':
      return addDry();
    case 's':
      return given.top_n_sigma > 0 ? add(SamplerOp::kTopNSigma, given.top_n_sigma) : void();
    case 'k':
      return given.top_k > 0 ? add(SamplerOp::kTopK, 0, 0, static_cast<uint32_t>(given.top_k)) : void();
    case 'y':
      return given.typical_p < 1 ? add(SamplerOp::kTypical, given.typical_p) : void();
    case 'p':
      return given.top_p < 1 ? add(SamplerOp::kTopP, given.top_p) : void();
    case 'm':
      return given.min_p > 0 ? add(SamplerOp::kMinP, given.min_p) : void();
    case 'x':
      if (given.xtc_probability > 0 && given.xtc_threshold <= 0.5f)
        add(SamplerOp::kXtc, given.xtc_probability, given.xtc_threshold);
      return;
    case 't':
      if (given.temperature != 1 || given.dynatemp_range > 0)
        add(SamplerOp::kTemperature, given.temperature, given.dynatemp_range);
      return;
    default:
      return; // a: the last one, wherever it stands
    }
  }
  static uint32_t lookBack(int32_t tokens) { return tokens < 0 ? kAllTokens : static_cast<uint32_t>(tokens); }

  void addPenalties() {
    if (given.repeat_last_n == 0 ||
        (given.repeat_penalty == 1 && given.frequency_penalty == 0 && given.presence_penalty == 0))
      return;
    program.repeat = given.repeat_penalty;
    program.frequency = given.frequency_penalty;
    program.presence = given.presence_penalty;
    program.penaltyTokens = lookBack(given.repeat_last_n);
    program.usesPast = 1;
    add(SamplerOp::kPenalties);
  }
  void addDry() {
    if (given.dry_multiplier == 0 || given.dry_base < 1 || given.dry_penalty_last_n == 0)
      return;
    constexpr float kMostLog = 88.7228391f; // of a float
    program.dryMultiplier = given.dry_multiplier;
    program.dryLog2Base = std::log2(given.dry_base);
    program.dryMaxExponent =
        given.dry_base > 1.000001f ? static_cast<uint32_t>(kMostLog / std::log(given.dry_base)) : 0;
    program.dryAllowed = static_cast<uint32_t>(given.dry_allowed_length);
    program.dryTokens = lookBack(given.dry_penalty_last_n);
    program.usesPast = 1;
    add(SamplerOp::kDry);
  }
  void addMirostat() {
    if (given.temperature != 1)
      add(SamplerOp::kTemperature, given.temperature);
    add(given.mirostat == 1 ? SamplerOp::kMirostat1 : SamplerOp::kMirostat2, given.mirostat_tau, given.mirostat_eta);
    program.state[0] = 2 * given.mirostat_tau;
  }

  const llcuda_sampler& given;
  SamplerProgram program = {};
};

/// adaptive_p takes the place of the draw.
void addAdaptive(SamplerProgram& program, const llcuda_sampler& given) {
  program.stages[program.stageCount++] = {SamplerOp::kAdaptive, given.adaptive_target, given.adaptive_decay, 0};
  program.state[0] = given.adaptive_target / (1 - given.adaptive_decay);
  program.state[1] = 1 / (1 - given.adaptive_decay);
}

/// Where a temperature of 0 leaves the most likely token, and nothing before it can have dropped that one, the rest
/// need not be done.
void takeBest(SamplerProgram& program) {
  uint32_t leading = 0;
  while (leading < program.stageCount && program.stages[leading].op <= SamplerOp::kDry) ++leading;
  bool isBest = false;
  for (uint32_t s = leading; s < program.stageCount; ++s) {
    const SamplerStage& stage = program.stages[s];
    if (stage.op <= SamplerOp::kDry || stage.op == SamplerOp::kTypical || stage.op == SamplerOp::kXtc ||
        stage.op >= SamplerOp::kAdaptive)
      return;
    isBest |= stage.op == SamplerOp::kTemperature && stage.a <= 0 && stage.b == 0;
  }
  if (!isBest)
    return;
  program.takesBest = 1;
  program.stageCount = leading;
}

/// Of each token one, the sum of those given for it; and the tokens that end a text, which are never chosen.
std::vector<LogitBias> biasesOf(const llcuda_sampler& given, const text::TextConfig& config) {
  std::map<int32_t, float> sums;
  for (std::size_t i = 0; i < given.logit_bias_count; ++i) sums[given.logit_bias[i].token] += given.logit_bias[i].bias;
  if (given.ignore_eos != 0)
    for (const int32_t token : config.endOfGeneration) sums[token] = -std::numeric_limits<float>::infinity();
  std::vector<LogitBias> biases;
  for (const auto& [token, bias] : sums) biases.push_back({token, bias});
  return biases;
}

std::vector<std::string> breakersOf(const llcuda_sampler& given) {
  std::vector<std::string> breakers;
  for (std::size_t i = 0; i < given.dry_sequence_breaker_count; ++i) {
    const char* const breaker = given.dry_sequence_breakers[i];
    breakers.push_back(given.dry_sequence_breaker_bytes ? std::string(breaker, given.dry_sequence_breaker_bytes[i])
                                                        : std::string(breaker));
  }
  return breakers;
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

llcuda_sampler defaultSampler(const text::TextConfig& config) {
  llcuda_sampler sampler = defaultSampler();
  const auto& stated = config.sampling.numbers;
  for (const NumberRule& rule : kNumbers)
    if (const auto found = stated.find(rule.name); found != stated.end())
      sampler.*rule.value = static_cast<float>(found->second);
  for (const IntegerRule& rule : kIntegers)
    if (const auto found = stated.find(rule.name); found != stated.end())
      sampler.*rule.value = static_cast<int32_t>(found->second);
  if (!config.sampling.stages.empty())
    sampler.stages = config.sampling.stages.c_str();
  return sampler;
}

Result<Sampler> samplerOf(const llcuda_sampler* own, EngineState& engine) {
  LLCUDA_ASSIGN_OR_RETURN(const llcuda_sampler given, optionsOf(own, defaultSampler(engine.textConfig())));
  const std::string_view stages = given.stages ? given.stages : kDefaultStages;
  LLCUDA_RETURN_IF_ERROR(checkStages(stages));
  LLCUDA_RETURN_IF_ERROR(checkNumbers(given));
  LLCUDA_RETURN_IF_ERROR(checkLists(given, engine.file().model().vocabulary()));
  Sampler sampler;
  sampler.seed = given.has_seed ? given.seed : randomSeed();
  sampler.program = ProgramBuilder(given).build(stages);
  if (given.mirostat == 0 && given.adaptive_target >= 0 && stages.find('a') != std::string_view::npos)
    addAdaptive(sampler.program, given);
  takeBest(sampler.program);
  sampler.biases = biasesOf(given, engine.textConfig());
  if (sampler.biases.size() > kLogitBiases)
    return unsupported("logit_bias and the ", engine.textConfig().endOfGeneration.size(),
                       " tokens that ignore_eos forbids are ", sampler.biases.size(), " tokens, there is room for ",
                       kLogitBiases);
  const auto uses = std::span(sampler.program.stages).first(sampler.program.stageCount);
  if (std::ranges::any_of(uses, [](const SamplerStage& stage) { return stage.op == SamplerOp::kDry; })) {
    LLCUDA_ASSIGN_OR_RETURN(sampler.breakers, engine.dryBreakers(breakersOf(given)));
  }
  return sampler;
}

} // namespace llcuda::capi

void llcuda_sampler_init(llcuda_sampler* sampler) {
  *sampler = llcuda::capi::defaultSampler();
}

llcuda_status llcuda_engine_default_sampler(const llcuda_engine* engine, llcuda_sampler* sampler, llcuda_error* error) {
  using namespace llcuda;
  return capi::guarded(error, [&]() -> Result<void> {
    if (!engine || !sampler || sampler->struct_bytes < sizeof(sampler->struct_bytes))
      return usageError("engine or sampler is NULL, or struct_bytes of the sampler is not set");
    capi::handOut(capi::defaultSampler(engine->state->textConfig()), sampler);
    return {};
  });
}
