// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/open_vocabulary.h"

#include <filesystem>

#include "compiler/ingest/gguf_vocabulary.h"
#include "compiler/ingest/hf_vocabulary.h"

namespace llcuda::ingest {

Result<Vocabulary> openVocabulary(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return readHfVocabulary(path);
  LLCUDA_ASSIGN_OR_RETURN(const GgufFile file, GgufFile::open(path));
  return readVocabulary(file);
}

} // namespace llcuda::ingest
