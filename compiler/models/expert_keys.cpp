// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/expert_keys.h"

namespace llcuda::models {
namespace {

/// Layers that Hugging Face files except from experts.
Result<void> refuseDenseLayers(const Keys& keys) {
  if (keys.kind() != FileKind::kHuggingFace)
    return {};
  LLCUDA_ASSIGN_OR_RETURN(const uint32_t step, keys.all().optional("decoder_sparse_step", 1, {0, UINT32_MAX}));
  if (step != 1)
    return unsupported(keys.all().title("decoder_sparse_step"), " is ", step,
                       "; only models all of whose layers have experts are supported");
  const std::optional<Stated> stated = keys.all().present("mlp_only_layers");
  const auto* dense = stated ? std::get_if<List>(&*stated) : nullptr;
  if (stated && (!dense || !dense->empty()))
    return unsupported(keys.all().title("mlp_only_layers"),
                       " is not empty; only models all of whose layers have experts are supported");
  return {};
}

} // namespace

Result<void> readExperts(const Keys& keys, std::vector<LayerConfig>& layers) {
  LLCUDA_RETURN_IF_ERROR(refuseDenseLayers(keys));
  ExpertsConfig experts;
  LLCUDA_ASSIGN_OR_RETURN(experts.count, keys.required(Key::kExperts, {1, kMaxExperts}));
  LLCUDA_ASSIGN_OR_RETURN(experts.used, keys.required(Key::kExpertsUsed, {1, experts.count}));
  LLCUDA_ASSIGN_OR_RETURN(experts.feedForward, keys.required(Key::kExpertFeedForward, {1, kMaxWidth}));
  LLCUDA_ASSIGN_OR_RETURN(experts.normalized, keys.flag(Key::kExpertsNormalized, keys.kind() == FileKind::kGguf));
  for (LayerConfig& layer : layers) layer.experts = experts;
  return {};
}

} // namespace llcuda::models
