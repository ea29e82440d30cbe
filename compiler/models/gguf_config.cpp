// SPDX-License-Identifier: Apache-2.0
// What all architectures have in common; each architecture's file completes it (architectures.h).
#include "compiler/models/gguf_config.h"

#include "compiler/ingest/message_parts.h"
#include "compiler/models/architectures.h"
#include "compiler/models/gguf_keys.h"
#include "compiler/models/gguf_rope.h"

namespace llcuda::models {
namespace {

using ingest::GgufFile;
using ingest::GgufType;
using ingest::GgufValue;

Result<uint32_t> vocabularySize(const GgufFile& file, const GgufKeys& keys) {
  if (keys.has("vocab_size"))
    return keys.required("vocab_size", {1, kMaxVocabulary});
  const GgufValue* tokens = file.find("tokenizer.ggml.tokens");
  if (!tokens || tokens->type() != GgufType::kArray)
    return badInput("the file has neither a vocab_size nor tokenizer.ggml.tokens");
  if (tokens->count() == 0 || tokens->count() > kMaxVocabulary)
    return badInput("tokenizer.ggml.tokens has ", tokens->count(), " entries, outside 1 to ", kMaxVocabulary);
  return static_cast<uint32_t>(tokens->count());
}

// The head size, from key_length or embedding / heads; keys and values must have the same.
Result<uint32_t> headSize(const GgufKeys& keys, const ModelConfig& config) {
  if (!keys.has("attention.key_length") && config.embedding % config.heads != 0)
    return badInput("an embedding of ", config.embedding, " cannot be split into ", config.heads, " heads");
  const uint32_t fallback = config.embedding / config.heads;
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t key, keys.optional("attention.key_length", fallback, kHeadSizes));
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t value, keys.optional("attention.value_length", fallback, kHeadSizes));
  if (key != value)
    return unsupported("keys of ", key, " and values of ", value, " elements: only equal head sizes are supported");
  return key;
}

Result<void> readSizes(const GgufFile& file, const GgufKeys& keys, ModelConfig& config) {
  LLCUDA_ASSIGN_OR_RETURN(config.layers, keys.required("block_count", {1, kMaxLayers}));
  LLCUDA_ASSIGN_OR_RETURN(config.trainedContext, keys.required("context_length", {1, kMaxContext}));
  LLCUDA_ASSIGN_OR_RETURN(config.embedding, keys.required("embedding_length", {1, kMaxWidth}));
  LLCUDA_ASSIGN_OR_RETURN(config.feedForward, keys.required("feed_forward_length", {1, kMaxWidth}));
  LLCUDA_ASSIGN_OR_RETURN(config.heads, keys.required("attention.head_count", {1, kMaxHeads}));
  LLCUDA_ASSIGN_OR_RETURN(config.kvHeads, keys.optional("attention.head_count_kv", config.heads, {1, config.heads}));
  LLCUDA_ASSIGN_OR_RETURN(config.headSize, headSize(keys, config));
  LLCUDA_ASSIGN_OR_RETURN(config.vocabulary, vocabularySize(file, keys));
  if (!keys.has("attention.layer_norm_rms_epsilon"))
    return badInput("the file has no ", config.architecture, ".attention.layer_norm_rms_epsilon");
  LLCUDA_ASSIGN_OR_RETURN(config.normEps, keys.number("attention.layer_norm_rms_epsilon", 0));
  return {};
}

// What no architecture here computes, although a file may ask for it.
Result<void> refuseWhatIsMissing(const GgufKeys& keys) {
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t experts, keys.optional("expert_count", 0, {0, UINT32_MAX}));
  if (experts > 0)
    return unsupported("the model has ", experts, " experts per layer; mixtures of experts are not supported");
  LLCUDA_ASSIGN_OR_RETURN(const bool causal, keys.flag("attention.causal", true));
  if (!causal)
    return unsupported("the model's attention is not causal; models of embeddings are not supported");
  for (const char* key : {"embedding_scale", "residual_scale", "logit_scale"}) {
    LLCUDA_ASSIGN_OR_RETURN(const double scale, keys.number(key, 1));
    if (scale != 1 && scale != 0)
      return unsupported("the file asks for a ", key, " of ", scale, ", which is not supported");
  }
  return {};
}

} // namespace

Result<ModelConfig> configFromGguf(const GgufFile& metadata, const ingest::Checkpoint& tensors) {
  const GgufValue* name = metadata.find("general.architecture");
  if (!name || !name->asString() || name->asString()->empty())
    return badInput("the file has no general.architecture");
  ModelConfig config;
  config.architecture = *name->asString();
  const Architecture* architecture = findArchitecture(config.architecture);
  if (!architecture)
    return unsupported("the architecture ", ingest::Quoted{config.architecture},
                       " is not supported; supported: ", architectureNames());
  if (const GgufValue* title = metadata.find("general.name"); title && title->asString())
    config.name = *title->asString();
  const GgufKeys keys(metadata, config.architecture);
  LLCUDA_RETURN_IF_ERROR(refuseWhatIsMissing(keys));
  LLCUDA_RETURN_IF_ERROR(readSizes(metadata, keys, config));
  LLCUDA_ASSIGN_OR_RETURN(config.rope, readRope(keys, tensors, config));
  config.localRope = config.rope;
  LLCUDA_ASSIGN_OR_RETURN(config.attentionScale, keys.number("attention.scale", 0));
  if (config.attentionScale < 0)
    return badInput("attention.scale is ", config.attentionScale, ", it must not be negative");
  LLCUDA_RETURN_IF_ERROR(architecture->complete(keys, config));
  LLCUDA_RETURN_IF_ERROR(checkConfig(config));
  return config;
}

} // namespace llcuda::models
