// SPDX-License-Identifier: Apache-2.0
// The config.json of a Hugging Face folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "compiler/ingest/hf_checkpoint.h"
#include "compiler/models/model_config.h"
#include "runtime/base/result.h"

namespace llcuda::models {

struct HfConfig {
  ModelConfig model;
  ingest::HfCheckpointOptions tensors;
  std::vector<std::string> linears; ///< folders of those behind the rows
  /// What `_llcuda_quantization` asks for, in the words of --quantize: "nf4", "q4_k_m", "f16"; empty without the key.
  std::string quantize;
};

/// Reads config.json: the text part of a model that also sees, the names of rope keys of every version of transformers,
/// and transformers' defaults for what a file leaves out. A key that is missing, of the wrong type or out of bounds is
/// an error that names it; another architecture, a rope or a quantisation that this version lacks is kUnsupported.
/// Messages lack the file's name.
Result<HfConfig> configFromHf(const nlohmann::json& config);

} // namespace llcuda::models
