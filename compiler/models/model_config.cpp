// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/model_config.h"

#include <cmath>

#include "compiler/models/architectures.h"

namespace llcuda::models {
namespace {

using ingest::GgufFile;
using ingest::GgufType;
using ingest::GgufValue;

constexpr uint64_t kMaxLayers = 512;
constexpr uint64_t kMaxWidth = 1u << 20; // of embedding, feed-forward and head count times head size
constexpr uint64_t kMaxVocabulary = 1u << 24;
constexpr uint64_t kMaxContext = 1u << 24;

struct Bounds {
  uint64_t low;
  uint64_t high;
};

// Reads the keys of one architecture.
class Keys {
public:
  Keys(const GgufFile& file, std::string architecture) : file(file), prefix(std::move(architecture) + ".") {}

  const GgufValue* find(const std::string& key) const { return file.find(prefix + key); }

  Result<uint32_t> required(const std::string& key, Bounds bounds) const {
    const GgufValue* value = find(key);
    if (!value)
      return badInput("the file has no ", prefix, key);
    return read(key, *value, bounds);
  }

  Result<uint32_t> optional(const std::string& key, uint32_t fallback, Bounds bounds) const {
    const GgufValue* value = find(key);
    return value ? read(key, *value, bounds) : checked(key, fallback, bounds);
  }

  Result<double> number(const std::string& key, double fallback) const {
    const GgufValue* value = find(key);
    if (!value)
      return fallback;
    const std::optional<double> number = value->asDouble();
    if (!number || !std::isfinite(*number))
      return badInput(prefix, key, " is not a finite number");
    return *number;
  }

private:
  Result<uint32_t> checked(const std::string& key, uint64_t number, Bounds bounds) const {
    if (number < bounds.low || number > bounds.high)
      return badInput(prefix, key, " is ", number, ", outside ", bounds.low, " to ", bounds.high);
    return static_cast<uint32_t>(number);
  }

  // A list with one number per layer is read when all are equal.
  Result<uint32_t> read(const std::string& key, const GgufValue& value, Bounds bounds) const {
    if (value.type() != GgufType::kArray) {
      const std::optional<uint64_t> number = value.asUnsigned();
      if (!number)
        return badInput(prefix, key, " is not a whole number of at least 0");
      return checked(key, *number, bounds);
    }
    const std::optional<int64_t> first = value.signedAt(0);
    if (!first || *first < 0)
      return badInput(prefix, key, " is not a list of whole numbers of at least 0");
    for (uint64_t i = 1; i < value.count(); ++i)
      if (value.signedAt(i) != first)
        return unsupported(prefix, key, " differs from layer to layer");
    return checked(key, static_cast<uint64_t>(*first), bounds);
  }

  const GgufFile& file;
  std::string prefix;
};

Result<uint32_t> vocabularySize(const GgufFile& file, const Keys& keys) {
  if (keys.find("vocab_size"))
    return keys.required("vocab_size", {1, kMaxVocabulary});
  const GgufValue* tokens = file.find("tokenizer.ggml.tokens");
  if (!tokens || tokens->type() != GgufType::kArray)
    return badInput("the file has neither a vocab_size nor tokenizer.ggml.tokens");
  if (tokens->count() == 0 || tokens->count() > kMaxVocabulary)
    return badInput("tokenizer.ggml.tokens has ", tokens->count(), " entries, outside 1 to ", kMaxVocabulary);
  return static_cast<uint32_t>(tokens->count());
}

// The head size, from key_length or embedding / heads; keys and values must have the same.
Result<uint32_t> headSize(const Keys& keys, const ModelConfig& config) {
  if (!keys.find("attention.key_length") && config.embedding % config.heads != 0)
    return badInput("an embedding of ", config.embedding, " cannot be split into ", config.heads, " heads");
  const uint32_t fallback = config.embedding / config.heads;
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t key, keys.optional("attention.key_length", fallback, {2, 1024}));
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t value, keys.optional("attention.value_length", fallback, {2, 1024}));
  if (key != value)
    return unsupported("keys of ", key, " and values of ", value, " elements: only equal head sizes are supported");
  if (key % 2 != 0 || uint64_t(key) * config.heads > kMaxWidth)
    return badInput(config.heads, " heads of ", key, " elements: head sizes are even and all heads together at most ",
                    kMaxWidth);
  return key;
}

Result<RopeConfig> ropeConfig(const Keys& keys, const ModelConfig& config) {
  RopeConfig rope;
  LLCUDA_ASSIGN_OR_RETURN(rope.dimensions,
                          keys.optional("rope.dimension_count", config.headSize, {2, config.headSize}));
  if (rope.dimensions % 2 != 0)
    return badInput("rope.dimension_count is ", rope.dimensions, ", which is odd");
  LLCUDA_ASSIGN_OR_RETURN(rope.base, keys.number("rope.freq_base", 10000));
  if (!(rope.base > 1))
    return badInput("rope.freq_base is ", rope.base, ", it must be above 1");
  std::string type = "linear";
  if (const GgufValue* value = keys.find("rope.scaling.type")) {
    const auto text = value->asString();
    if (!text)
      return badInput("rope.scaling.type is not a string");
    type = *text;
  }
  if (type != "linear" && type != "none")
    return unsupported("rope scaling \"", type, "\" is not supported");
  LLCUDA_ASSIGN_OR_RETURN(const double old, keys.number("rope.scale_linear", 0));
  LLCUDA_ASSIGN_OR_RETURN(const double factor, keys.number("rope.scaling.factor", old));
  if (factor < 0)
    return badInput("rope.scaling.factor is ", factor, ", it must not be negative");
  if (type == "linear" && factor != 0)
    rope.scaling = RopeScaling::kLinear, rope.factor = factor;
  return rope;
}

Result<void> refuseWhatIsMissing(const Keys& keys) {
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t experts, keys.optional("expert_count", 0, {0, UINT32_MAX}));
  if (experts > 0)
    return unsupported("the model has ", experts, " experts per layer; mixtures of experts are not supported");
  return {};
}

} // namespace

Result<ModelConfig> configFromGguf(const GgufFile& file) {
  const GgufValue* architecture = file.find("general.architecture");
  if (!architecture || !architecture->asString() || architecture->asString()->empty())
    return badInput("the file has no general.architecture");
  ModelConfig config;
  config.architecture = *architecture->asString();
  if (!findArchitecture(config.architecture))
    return unsupported("architecture \"", config.architecture, "\" is not supported; supported: ", architectureNames());
  if (const GgufValue* name = file.find("general.name"); name && name->asString())
    config.name = *name->asString();
  const Keys keys(file, config.architecture);

  LLCUDA_ASSIGN_OR_RETURN(config.layers, keys.required("block_count", {1, kMaxLayers}));
  LLCUDA_ASSIGN_OR_RETURN(config.trainedContext, keys.required("context_length", {1, kMaxContext}));
  LLCUDA_ASSIGN_OR_RETURN(config.embedding, keys.required("embedding_length", {1, kMaxWidth}));
  LLCUDA_ASSIGN_OR_RETURN(config.feedForward, keys.required("feed_forward_length", {1, kMaxWidth}));
  LLCUDA_ASSIGN_OR_RETURN(config.heads, keys.required("attention.head_count", {1, 4096}));
  LLCUDA_ASSIGN_OR_RETURN(config.kvHeads, keys.optional("attention.head_count_kv", config.heads, {1, config.heads}));
  if (config.heads % config.kvHeads != 0)
    return badInput(config.heads, " heads cannot share ", config.kvHeads, " kv heads evenly");
  LLCUDA_ASSIGN_OR_RETURN(config.headSize, headSize(keys, config));
  LLCUDA_ASSIGN_OR_RETURN(config.vocabulary, vocabularySize(file, keys));
  if (!keys.find("attention.layer_norm_rms_epsilon"))
    return badInput("the file has no ", config.architecture, ".attention.layer_norm_rms_epsilon");
  LLCUDA_ASSIGN_OR_RETURN(config.normEps, keys.number("attention.layer_norm_rms_epsilon", 0));
  if (!(config.normEps > 0 && config.normEps < 1))
    return badInput("attention.layer_norm_rms_epsilon is ", config.normEps, ", outside 0 to 1");
  LLCUDA_ASSIGN_OR_RETURN(config.rope, ropeConfig(keys, config));
  config.localRope = config.rope;
  LLCUDA_RETURN_IF_ERROR(refuseWhatIsMissing(keys));
  return config;
}

} // namespace llcuda::models
