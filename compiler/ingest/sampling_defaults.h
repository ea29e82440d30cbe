// SPDX-License-Identifier: Apache-2.0
// What a model's files say about how to sample it: GGUF's general.sampling.*, Hugging Face's generation_config.json.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "compiler/ingest/gguf_reader.h"
#include "runtime/text/sampling_defaults.h"

namespace llcuda::ingest {

/// A value that is no number or out of its range is left out, with a note.
text::SamplingDefaults readSamplingDefaults(const GgufFile& file, std::vector<std::string>& notes);
text::SamplingDefaults readSamplingDefaults(const nlohmann::json& generationConfig, std::vector<std::string>& notes);

} // namespace llcuda::ingest
