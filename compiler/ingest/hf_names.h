// SPDX-License-Identifier: Apache-2.0
// Names of tensors in Hugging Face files, and the names of GGUF for the same.
#pragma once

#include <string>
#include <string_view>

namespace llcuda::ingest {

/// How the families that share one set of names differ in it.
struct HfNaming {
  /// The norm behind the attention stands before the residual sum, and the feed-forward has its own two (Gemma 2 and 3).
  /// Else `post_attention_layernorm` is the norm before the feed-forward.
  bool postNorms = false;
};

struct HfName {
  enum class Kind {
    kTensor,    ///< `gguf` is its name
    kCompanion, ///< belongs to the quantised weight `gguf` as its `part`: "absmax", "quant_state.bitsandbytes__nf4", "SCB"
    kDerived,   ///< values that follow from the configuration
    kOtherPart, ///< of a part of the model that sees or hears
    kUnknown,
  };
  Kind kind = Kind::kUnknown;
  std::string gguf;
  std::string part;
};

HfName translateHfName(std::string_view name, const HfNaming& naming);

} // namespace llcuda::ingest
