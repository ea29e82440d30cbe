// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/hf_rope.h"

#include <algorithm>
#include <cmath>

#include "compiler/ingest/message_parts.h"

namespace llcuda::models {
namespace {

using ingest::Quoted;

/// The context before scaling. The key stands beside the rope's in files of Phi and among them in others.
Result<uint32_t> originalContext(const Keys& keys, const Values& rope, const ModelConfig& config) {
  const Values& place = keys.has(Key::kOriginalContext) ? keys.all() : rope;
  return place.optional("original_max_position_embeddings", config.trainedContext, {1, kMaxContext});
}

/// Yarn's magnitude of a context that grew by `factor`.
double magnitude(double factor, double weight) {
  return factor <= 1 ? 1 : 0.1 * weight * std::log(factor) + 1;
}

Result<void> readYarn(const Values& rope, const Family& family, RopeConfig& result) {
  LLCUDA_ASSIGN_OR_RETURN(result.truncated, rope.flag("truncate", family.wholeYarnPairs));
  LLCUDA_ASSIGN_OR_RETURN(result.betaFast, rope.positive("beta_fast", 32));
  LLCUDA_ASSIGN_OR_RETURN(result.betaSlow, rope.positive("beta_slow", 1));
  LLCUDA_ASSIGN_OR_RETURN(const double mscale, rope.number("mscale", 0));
  LLCUDA_ASSIGN_OR_RETURN(const double mscaleAll, rope.number("mscale_all_dim", 0));
  const double usual = mscale != 0 && mscaleAll != 0
                           ? magnitude(result.factor, mscale) / magnitude(result.factor, mscaleAll)
                           : 0; // the formula of RopeConfig
  if (!std::isfinite(usual) || usual < 0)
    return badInput("mscale ", mscale, " and mscale_all_dim ", mscaleAll, " give a rope the magnitude ", usual);
  LLCUDA_ASSIGN_OR_RETURN(result.attentionFactor, rope.positive("attention_factor", usual));
  return {};
}

Result<void> readLlama3(const Values& rope, RopeConfig& result) {
  for (const char* key : {"low_freq_factor", "high_freq_factor"})
    if (!rope.has(key))
      return badInput("the llama3 rope has no ", key);
  LLCUDA_ASSIGN_OR_RETURN(result.lowFrequencyFactor, rope.positive("low_freq_factor", 1));
  LLCUDA_ASSIGN_OR_RETURN(result.highFrequencyFactor, rope.positive("high_freq_factor", 4));
  if (!(result.highFrequencyFactor > result.lowFrequencyFactor))
    return badInput("high_freq_factor is ", result.highFrequencyFactor, ", it must be above low_freq_factor ",
                    result.lowFrequencyFactor);
  return {};
}

Result<void> readLongRope(const Values& rope, const ModelConfig& config, RopeConfig& result) {
  result.factor = static_cast<double>(config.trainedContext) / result.originalContext;
  LLCUDA_ASSIGN_OR_RETURN(result.factor, rope.positive("factor", result.factor));
  LLCUDA_ASSIGN_OR_RETURN(result.attentionFactor, rope.positive("attention_factor", 0));
  LLCUDA_ASSIGN_OR_RETURN(result.shortFactors, rope.divisors("short_factor", result.dimensions / 2));
  LLCUDA_ASSIGN_OR_RETURN(result.longFactors, rope.divisors("long_factor", result.dimensions / 2));
  return {};
}

Result<std::string> typeOf(const Values& rope) {
  LLCUDA_ASSIGN_OR_RETURN(const std::string older, rope.text("type", "default"));
  return rope.text("rope_type", older);
}

Result<RopeScaling> scalingOf(const Values& rope, const ModelConfig& config) {
  LLCUDA_ASSIGN_OR_RETURN(const std::string name, typeOf(rope));
  // Early Phi-3 files call longrope by these names.
  if (name == "longrope" || name == "su" || (name == "yarn" && config.family->yarnIsLongRope))
    return RopeScaling::kLongRope;
  // The axes of mrope turn alike where there is only text.
  if (name == "default" || name == "mrope" || name == "proportional")
    return RopeScaling::kNone;
  if (name == "linear")
    return RopeScaling::kLinear;
  if (name == "yarn")
    return RopeScaling::kYarn;
  if (name == "llama3")
    return RopeScaling::kLlama3;
  return unsupported("a rope of type ", Quoted{name},
                     " is not supported; default, proportional, linear, llama3, yarn and longrope are");
}

/// Of a rope over `pairs` pairs of which only the first `turning` turn, with the frequencies that all would have. The
/// others are divided by what GGUF files have for them.
std::vector<double> proportionalDivisors(size_t pairs, size_t turning) {
  std::vector<double> divisors(pairs, static_cast<double>(1e30f));
  std::fill_n(divisors.begin(), turning, 1.);
  return divisors;
}

/// One rope. What `rope` lacks stands beside it.
Result<RopeConfig> readRope(const Keys& keys, const Values& rope, double base, const ModelConfig& config,
                            uint32_t headSize) {
  RopeConfig result;
  LLCUDA_ASSIGN_OR_RETURN(result.base, rope.number("rope_theta", base));
  LLCUDA_ASSIGN_OR_RETURN(const std::string type, typeOf(rope));
  const bool isProportional = type == "proportional";
  LLCUDA_ASSIGN_OR_RETURN(const double outer, keys.positive(Key::kPartialRotary, 1));
  LLCUDA_ASSIGN_OR_RETURN(const double partial, rope.positive("partial_rotary_factor", outer));
  if (partial > 1)
    return badInput("partial_rotary_factor is ", partial, ", at most 1");
  if (isProportional) {
    result.dimensions = headSize;
    result.divisors = proportionalDivisors(headSize / 2, static_cast<size_t>(headSize * partial) / 2);
  } else {
    result.dimensions = static_cast<uint32_t>(headSize * partial);
  }
  LLCUDA_ASSIGN_OR_RETURN(result.scaling, scalingOf(rope, config));
  LLCUDA_ASSIGN_OR_RETURN(result.originalContext, originalContext(keys, rope, config));
  if (result.scaling == RopeScaling::kNone)
    return result;
  if (result.scaling == RopeScaling::kLongRope) {
    LLCUDA_RETURN_IF_ERROR(readLongRope(rope, config, result));
    return result;
  }
  if (!rope.has("factor"))
    return badInput("the rope has no factor");
  LLCUDA_ASSIGN_OR_RETURN(result.factor, rope.positive("factor", 1));
  if (result.scaling == RopeScaling::kYarn)
    LLCUDA_RETURN_IF_ERROR(readYarn(rope, *config.family, result));
  if (result.scaling == RopeScaling::kLlama3)
    LLCUDA_RETURN_IF_ERROR(readLlama3(rope, result));
  return result;
}

} // namespace

Result<RopeConfig> readHfRope(const Keys& keys, const JsonValues& file, const ModelConfig& config, uint32_t headSize,
                              bool local) {
  LLCUDA_ASSIGN_OR_RETURN(const JsonValues parameters, file.object("rope_parameters"));
  LLCUDA_ASSIGN_OR_RETURN(const JsonValues scaling, file.object("rope_scaling"));
  LLCUDA_ASSIGN_OR_RETURN(const double base, keys.number(Key::kRopeBase));
  const bool byLayer = parameters.has("full_attention") || parameters.has("sliding_attention");
  LLCUDA_ASSIGN_OR_RETURN(const JsonValues full, byLayer
                                                     ? parameters.object("full_attention")
                                                     : Result<JsonValues>(scaling.isEmpty() ? parameters : scaling));
  if (!local || (!byLayer && !config.family->plainLocalRope))
    return readRope(keys, full, base, config, headSize);
  LLCUDA_ASSIGN_OR_RETURN(const double fullBase, full.number("rope_theta", base));
  LLCUDA_ASSIGN_OR_RETURN(const double localBase, keys.number(Key::kLocalRopeBase, fullBase));
  LLCUDA_ASSIGN_OR_RETURN(const JsonValues own, byLayer ? parameters.object("sliding_attention") : file.object(""));
  return readRope(keys, own, localBase, config, headSize);
}

} // namespace llcuda::models
