// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace llcuda::ingest {

/// The files that are read for a path given as a model, an adapter or a tokenizer: a GGUF file with the other parts of
/// its split; of a Hugging Face folder, or of the one that holds a safetensors file, those that this version knows; of
/// an adapter's folder also those of the base that it names, of a model's also those of the adapter that was saved with
/// it. Only names are looked at, no contents but the two configurations; what is missing is left out.
std::vector<std::string> inputFiles(const std::string& path);

} // namespace llcuda::ingest
