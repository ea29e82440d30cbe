// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/hf_rope.h"

#include <cmath>

#include "compiler/ingest/message_parts.h"

namespace llcuda::models {
namespace {

using ingest::Quoted;
using Json = nlohmann::json;

const Json& noParameters() {
  static const Json kNone = Json::object();
  return kNone;
}

/// The object of `key`, an empty one without the key.
Result<const Json*> objectOf(const HfKeys& keys, const char* key) {
  const Json* const object = keys.find(key);
  if (object && !object->is_object())
    return badInput(key, " is not an object");
  return object ? object : &noParameters();
}

/// The context before scaling. The key stands beside the rope's in files of Phi and among them in others.
Result<uint32_t> originalContext(const HfKeys& keys, const HfKeys& rope, const ModelConfig& config) {
  const HfKeys& place = keys.find("original_max_position_embeddings") ? keys : rope;
  return place.optional("original_max_position_embeddings", config.trainedContext, {1, kMaxContext});
}

/// Yarn's magnitude of a context that grew by `factor`.
double magnitude(double factor, double weight) {
  return factor <= 1 ? 1 : 0.1 * weight * std::log(factor) + 1;
}

Result<void> readYarn(const HfKeys& rope, RopeConfig& result) {
  LLCUDA_ASSIGN_OR_RETURN(const bool truncate, rope.flag("truncate", true));
  if (!truncate)
    return unsupported("a yarn rope with truncate false is not supported");
  LLCUDA_ASSIGN_OR_RETURN(result.betaFast, rope.positive("beta_fast", 32));
  LLCUDA_ASSIGN_OR_RETURN(result.betaSlow, rope.positive("beta_slow", 1));
  LLCUDA_ASSIGN_OR_RETURN(const double mscale, rope.number("mscale", 0));
  LLCUDA_ASSIGN_OR_RETURN(const double mscaleAll, rope.number("mscale_all_dim", 0));
  const double usual = mscale != 0 && mscaleAll != 0
                           ? magnitude(result.factor, mscale) / magnitude(result.factor, mscaleAll)
                           : 0; // the formula of RopeConfig
  LLCUDA_ASSIGN_OR_RETURN(result.attentionFactor, rope.positive("attention_factor", usual));
  return {};
}

Result<void> readLlama3(const HfKeys& rope, RopeConfig& result) {
  for (const char* key : {"low_freq_factor", "high_freq_factor"})
    if (!rope.find(key))
      return badInput("the llama3 rope has no ", key);
  LLCUDA_ASSIGN_OR_RETURN(result.lowFrequencyFactor, rope.positive("low_freq_factor", 1));
  LLCUDA_ASSIGN_OR_RETURN(result.highFrequencyFactor, rope.positive("high_freq_factor", 4));
  if (!(result.highFrequencyFactor > result.lowFrequencyFactor))
    return badInput("high_freq_factor is ", result.highFrequencyFactor, ", it must be above low_freq_factor ",
                    result.lowFrequencyFactor);
  return {};
}

Result<void> readLongRope(const HfKeys& rope, const ModelConfig& config, RopeConfig& result) {
  result.factor = static_cast<double>(config.trainedContext) / result.originalContext;
  LLCUDA_ASSIGN_OR_RETURN(result.factor, rope.positive("factor", result.factor));
  LLCUDA_ASSIGN_OR_RETURN(result.attentionFactor, rope.positive("attention_factor", 0));
  LLCUDA_ASSIGN_OR_RETURN(result.shortFactors, rope.divisors("short_factor", result.dimensions / 2));
  LLCUDA_ASSIGN_OR_RETURN(result.longFactors, rope.divisors("long_factor", result.dimensions / 2));
  return {};
}

Result<RopeScaling> scalingOf(const HfKeys& rope, const ModelConfig& config) {
  LLCUDA_ASSIGN_OR_RETURN(const std::string older, rope.text("type", "default"));
  LLCUDA_ASSIGN_OR_RETURN(const std::string name, rope.text("rope_type", older));
  // Early Phi-3 files call longrope by these names.
  if (name == "longrope" || name == "su" || (name == "yarn" && config.architecture == "phi3"))
    return RopeScaling::kLongRope;
  if (name == "default")
    return RopeScaling::kNone;
  if (name == "linear")
    return RopeScaling::kLinear;
  if (name == "yarn")
    return RopeScaling::kYarn;
  if (name == "llama3")
    return RopeScaling::kLlama3;
  return unsupported("a rope of type ", Quoted{name},
                     " is not supported; default, linear, llama3, yarn and longrope are");
}

/// One rope. What `rope` lacks stands in `keys`.
Result<RopeConfig> readRope(const HfKeys& keys, const HfKeys& rope, double base, const ModelConfig& config) {
  RopeConfig result;
  LLCUDA_ASSIGN_OR_RETURN(result.base, rope.number("rope_theta", base));
  LLCUDA_ASSIGN_OR_RETURN(const double outer, keys.positive("partial_rotary_factor", 1));
  LLCUDA_ASSIGN_OR_RETURN(const double partial, rope.positive("partial_rotary_factor", outer));
  if (partial > 1)
    return badInput("partial_rotary_factor is ", partial, ", at most 1");
  result.dimensions = static_cast<uint32_t>(config.headSize * partial);
  LLCUDA_ASSIGN_OR_RETURN(result.scaling, scalingOf(rope, config));
  if (result.scaling == RopeScaling::kNone)
    return result;
  LLCUDA_ASSIGN_OR_RETURN(result.originalContext, originalContext(keys, rope, config));
  if (result.scaling == RopeScaling::kLongRope) {
    LLCUDA_RETURN_IF_ERROR(readLongRope(rope, config, result));
    return result;
  }
  if (!rope.find("factor"))
    return badInput("the rope has no factor");
  LLCUDA_ASSIGN_OR_RETURN(result.factor, rope.positive("factor", 1));
  if (result.scaling == RopeScaling::kYarn)
    LLCUDA_RETURN_IF_ERROR(readYarn(rope, result));
  if (result.scaling == RopeScaling::kLlama3)
    LLCUDA_RETURN_IF_ERROR(readLlama3(rope, result));
  return result;
}

} // namespace

Result<void> readRopes(const HfKeys& keys, double usualBase, ModelConfig& config) {
  LLCUDA_ASSIGN_OR_RETURN(const Json* const parameters, objectOf(keys, "rope_parameters"));
  LLCUDA_ASSIGN_OR_RETURN(const Json* const scaling, objectOf(keys, "rope_scaling"));
  LLCUDA_ASSIGN_OR_RETURN(const double base, keys.number("rope_theta", usualBase));
  const HfKeys outer(*parameters);
  if (outer.find("full_attention") || outer.find("sliding_attention")) {
    LLCUDA_ASSIGN_OR_RETURN(const Json* const full, objectOf(outer, "full_attention"));
    LLCUDA_ASSIGN_OR_RETURN(const Json* const local, objectOf(outer, "sliding_attention"));
    LLCUDA_ASSIGN_OR_RETURN(config.rope, readRope(keys, HfKeys(*full), base, config));
    LLCUDA_ASSIGN_OR_RETURN(config.localRope, readRope(keys, HfKeys(*local), 10000, config));
    return {};
  }
  LLCUDA_ASSIGN_OR_RETURN(config.rope, readRope(keys, HfKeys(scaling->empty() ? *parameters : *scaling), base, config));
  config.localRope = config.rope;
  if (config.architecture != "gemma3")
    return {};
  // Local layers of Gemma 3 have a base of their own and are never scaled.
  LLCUDA_ASSIGN_OR_RETURN(const double localBase, keys.number("rope_local_base_freq", 10000));
  LLCUDA_ASSIGN_OR_RETURN(config.localRope, readRope(keys, HfKeys(noParameters()), localBase, config));
  return {};
}

} // namespace llcuda::models
