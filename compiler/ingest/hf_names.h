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

/// What a family has in each layer.
struct HfNaming {
  std::span<const HfModule> layer;
  bool expertsByTurns = false; ///< where gate and up of experts are one tensor, their rows take turns
};

struct HfName {
  enum class Kind {
    kTensor,    ///< `gguf` is its name
    kCompanion, ///< belongs to the quantised weight `gguf` as its `part`: "absmax", "quant_state.bitsandbytes__nf4",
                ///< "SCB", "scales" of blocks of MXFP4
    kDerived,   ///< values that follow from the configuration
    kOtherPart, ///< of a part of the model that sees or hears or predicts further tokens
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
