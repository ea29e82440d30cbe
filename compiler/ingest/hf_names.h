// SPDX-License-Identifier: Apache-2.0
// Names of tensors in Hugging Face files, and the names of GGUF for the same.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace llcuda::ingest {

/// A module of a layer, as `self_attn.q_proj`, and what GGUF files call it, as `attn_q`.
struct HfModule {
  std::string_view hf, gguf;
  bool isTensor = false; ///< it is a tensor itself, without `.weight`
};

/// The modules outside the layers of a language model.
inline constexpr HfModule kModelModules[] = {{"embed_tokens", "token_embd"},
                                             {"norm", "output_norm"},
                                             {"embedding_norm", "token_embd_norm"},
                                             {"embed_tokens_per_layer", "per_layer_token_embd"},
                                             {"per_layer_model_projection", "per_layer_model_proj"},
                                             {"per_layer_projection_norm", "per_layer_proj_norm"}};

/// What a family has in each layer, and outside of them.
struct HfNaming {
  std::span<const HfModule> layer;
  std::span<const HfModule> model = kModelModules;
  std::string_view layers = "layers.";           ///< in front of the number of a layer
  std::span<const std::string_view> others = {}; ///< what begins with one of these is no part of the model's formula
  bool expertsByTurns = false;                   ///< where gate and up of experts are one tensor, their rows take turns

  /// What files call the module of the token embedding.
  std::string_view embedding() const;
};

struct HfName {
  enum class Kind {
    kTensor,    ///< `gguf` is its name
    kCompanion, ///< belongs to the quantised weight `gguf` as its `part`: "absmax", "quant_state.bitsandbytes__nf4",
                ///< "SCB", "scales" of blocks of MXFP4
    kDerived,   ///< values that follow from the configuration
    kOtherPart, ///< of a part of the model that sees or hears or predicts further tokens, or one of HfNaming::others
    kUnknown,
  };
  Kind kind = Kind::kUnknown;
  std::string gguf;
  std::string part;
};

HfName translateHfName(std::string_view name, const HfNaming& naming);

/// What a file whose modules begin with `prefix` ("model.") would call the tensor `gguf`; `gguf` where files have none.
std::string hfNameOf(std::string_view gguf, const HfNaming& naming, std::string_view prefix);

} // namespace llcuda::ingest
