// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "compiler/ingest/vocabulary.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

/// The vocabulary of a Hugging Face folder or of a GGUF file.
Result<Vocabulary> openVocabulary(const std::string& path);

} // namespace llcuda::ingest
