// SPDX-License-Identifier: Apache-2.0
// The pre-tokenizers that byte-level BPE vocabularies of GGUF files name in `tokenizer.ggml.pre`.
#pragma once

#include <string_view>
#include <vector>

namespace llcuda::ingest {

/// How a text is cut into words before BPE, and what follows from the name besides.
struct PreTokenizer {
  std::vector<std::string_view> patterns; ///< applied in order; matches and what lies between them become pieces
  bool wholeWords = false;                ///< a word that is a token is taken at once, merges or not
  bool addBos = false;                    ///< what `add_bos_token` is when the file does not say
  bool hasBos = true;                     ///< false: no token is BOS unless the file names one
  bool byteLevel = true;                  ///< false: raw UTF-8, spaces as U+2581, bytes as `<0xXX>` tokens
};

/// nullptr for an unknown name. The empty name is the default of old files.
const PreTokenizer* findPreTokenizer(std::string_view name);

} // namespace llcuda::ingest
