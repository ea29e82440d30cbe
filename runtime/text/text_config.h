// SPDX-License-Identifier: Apache-2.0
// What an engine says about its text beside the tokenizer.json: the tokens that mean something, the rules of BOS and
// EOS, and the chat templates. Stored as JSON in the engine's text segment (`Text.config` of engine.fbs).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/text/sampling_defaults.h"

namespace llcuda::text {

enum class VocabularyKind {
  kNone,      ///< the model takes and gives token ids only
  kSpm,       ///< SentencePiece BPE over scores, bytes as tokens
  kBpe,       ///< byte-level BPE
  kWordPiece, ///< words, and pieces that go on with a word
  kUnigram,   ///< SentencePiece: the likeliest way to cut a text
};

std::string_view name(VocabularyKind kind);

inline constexpr int32_t kNoToken = -1;

struct TextConfig {
  VocabularyKind kind = VocabularyKind::kNone;
  std::string preTokenizer; ///< the name the source gave, for people
  int32_t bos = kNoToken;
  int32_t eos = kNoToken;
  int32_t eot = kNoToken; ///< ends a turn of a chat
  int32_t unknown = kNoToken;
  int32_t padding = kNoToken;
  std::vector<int32_t> endOfGeneration; ///< every token that ends an answer; ascending, without repeats
  bool addBos = false;                  ///< a text starts with `bos`
  bool addEos = false;                  ///< a text ends with `eos`
  bool addSpacePrefix = false;          ///< the tokenizer puts a space before a text; decoding takes it away
  std::string chatTemplate;             ///< Jinja; empty when the model has none
  std::map<std::string, std::string> namedTemplates; ///< further ones, such as `tool_use`
  SamplingDefaults sampling;                         ///< what the model says of it

  bool endsGeneration(int32_t token) const;
};

/// The JSON of `config`, always the same bytes for the same values.
std::string toJson(const TextConfig& config);

/// Reads what toJson() wrote. Unknown keys, missing keys, wrong types and negative ids are errors that name the key.
Result<TextConfig> parseTextConfig(std::string_view json);

/// Refuses ids at or above `vocabulary` (the rows of the model's head) and rules that name no token.
Result<void> checkTextConfig(const TextConfig& config, uint32_t vocabulary);

} // namespace llcuda::text
