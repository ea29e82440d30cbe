// SPDX-License-Identifier: Apache-2.0
// Tokenizers saved as vocab.json and merges.txt, the form of GPT-2 and Qwen 2 before there was a tokenizer.json.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "compiler/ingest/tokenizer_file.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

/// What says how such a tokenizer cuts texts.
struct VocabMergesRules {
  std::string_view tokenizerClass; ///< of tokenizer_config.json; empty counts as GPT2Tokenizer
  bool addPrefixSpace = false;     ///< a text is cut as if a space stood before it
};

/// The tokenizer.json that transformers makes of the two files, without added tokens, and how many merges were left out
/// since they join or make what is no token. `vocabulary` is the object of vocab.json, `merges` the text of merges.txt.
/// kUnsupported names a class that is neither GPT-2's nor Qwen 2's.
struct VocabMerges {
  nlohmann::json tokenizer;
  size_t uselessMerges = 0;
};
Result<VocabMerges> tokenizerOfVocabAndMerges(nlohmann::json vocabulary, std::string_view merges,
                                              const VocabMergesRules& rules);

/// The special tokens of a vocabulary, those of `texts` that it has: the rest comes from other files.
std::vector<AddedToken> specialTokensOf(const nlohmann::json& vocabulary, std::span<const std::string> texts);

} // namespace llcuda::ingest
