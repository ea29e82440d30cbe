// SPDX-License-Identifier: Apache-2.0
// Gemma 1: the formula of llama with scaled embeddings and a GELU.
#include "compiler/models/gemma.h"

#include <cmath>

#include "codegen/formats/numbers.h"
#include "compiler/models/hf_modules.h"

namespace llcuda::models {

Result<void> completeGemma(const Keys& keys, ModelConfig& config) {
  const auto scale = std::sqrt(static_cast<float>(config.embedding));
  LLCUDA_ASSIGN_OR_RETURN(const std::string type, keys.text(Key::kType, ""));
  config.embeddingScale = type == "bfloat16"  ? formats::bf16ToFloat(formats::floatToBf16(scale))
                          : type == "float16" ? formats::halfToFloat(formats::floatToHalf(scale))
                                              : scale;
  return {};
}

Result<void> completeScaledGemma(const Keys& keys, ModelConfig& config, uint32_t layersOf27B) {
  LLCUDA_RETURN_IF_ERROR(completeGemma(keys, config));
  if (keys.kind() == FileKind::kHuggingFace) {
    LLCUDA_ASSIGN_OR_RETURN(const double scalar, keys.positive(Key::kQueryScalar, 0));
    config.attentionScale = 1 / std::sqrt(scalar);
  } else if (config.layers.size() == layersOf27B) {
    config.attentionScale = 1 / std::sqrt(static_cast<double>(config.embedding / config.layers.front().heads));
  }
  return {};
}

constinit const Family kGemma{
    .architecture = "gemma",
    .gguf = {"gemma"},
    .writtenAs = "gemma",
    .huggingFace = {"GemmaForCausalLM"},
    .modelTypes = {"gemma"},
    .models = "Gemma 1",
    .formula = "embeddings times sqrt(width), GELU",
    .keys = {{Key::kContext, "context_length", "max_position_embeddings", 8192},
             {Key::kHeadSize, "attention.key_length", "head_dim", 256},
             {Key::kType, "", "dtype"},
             {Key::kType, "", "torch_dtype"}},
    .tensors = kLlamaModules,
    .hfNormPlus = 1,
    .tiedHead = true,
    .activation = Activation::kGeluTanh,
    .activations = {{"gelu", Activation::kGeluTanh}}, // of the first files, which mean its approximation
    .complete = completeGemma,
    .layer = llamaLayer,
};

} // namespace llcuda::models
