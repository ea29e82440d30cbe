// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/hf_config.h"

#include <nlohmann/json.hpp>

#include "compiler/models/config_reader.h"
#include "compiler/models/hf_quantization.h"
#include "compiler/models/hf_rope.h"

namespace llcuda::models {
namespace {

/// The family that `architectures` names, or that `model_type` names where a file has no architectures.
Result<const Family*> familyOf(const JsonValues& root) {
  std::string modelClass;
  if (const std::optional<Stated> stated = root.present("architectures")) {
    const auto* classes = std::get_if<List>(&*stated);
    const auto* first = classes && !classes->empty() ? std::get_if<std::string>(&classes->front()) : nullptr;
    if (!first)
      return badInput("architectures is not a list of names");
    modelClass = *first;
  }
  LLCUDA_ASSIGN_OR_RETURN(const std::string type, root.text("model_type", ""));
  if (modelClass.empty() && type.empty())
    return badInput("has neither architectures nor a model_type");
  return familyOfHf(modelClass, type);
}

} // namespace

Result<HfConfig> configFromHf(const nlohmann::json& json) {
  if (!json.is_object())
    return badInput("is not a JSON object");
  const JsonValues root(json);
  LLCUDA_ASSIGN_OR_RETURN(const Family* const family, familyOf(root));
  const auto text = json.find("text_config");
  const bool hasText = text != json.end() && !text->is_null();
  if (hasText && !text->is_object())
    return badInput("text_config is not an object");
  const JsonValues values(hasText ? *text : json, &json);
  const Keys keys(FileKind::kHuggingFace, values, {family->keys.begin(), family->keys.end()});

  HfConfig config;
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t vocabulary, keys.required(Key::kVocabulary, {1, kMaxVocabulary}));
  LLCUDA_ASSIGN_OR_RETURN(
      config.model, readConfig(*family, keys, vocabulary, [&](const ModelConfig& model, uint32_t headSize, bool local) {
        return readHfRope(keys, values, model, headSize, local);
      }));
  LLCUDA_ASSIGN_OR_RETURN(const bool tied, values.flag("tie_word_embeddings", family->tiedHead));
  LLCUDA_ASSIGN_OR_RETURN(config.tensors.tiedHead, root.flag("tie_word_embeddings", tied));
  config.tensors.naming = family->naming();
  config.tensors.hasHead = !family->encoder;
  LLCUDA_ASSIGN_OR_RETURN(config.quantize, quantizationOf(root));
  return config;
}

} // namespace llcuda::models
