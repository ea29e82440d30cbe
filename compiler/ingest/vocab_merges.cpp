// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/vocab_merges.h"

#include "compiler/ingest/message_parts.h"
#include "compiler/ingest/pre_tokenizers.h"
#include "runtime/text/utf8.h"

namespace llcuda::ingest {
namespace {

using Json = nlohmann::json;

Json byteLevel(bool addPrefixSpace, bool cutsWords) {
  return {
      {"type", "ByteLevel"}, {"add_prefix_space", addPrefixSpace}, {"trim_offsets", false}, {"use_regex", cutsWords}};
}

/// Qwen 2 brings letters to one form and cuts by a pattern of its own; GPT-2's is that of byte-level pieces.
Result<void> addRules(const VocabMergesRules& rules, Json& tokenizer) {
  std::string_view name = rules.tokenizerClass;
  if (name.ends_with("Fast"))
    name.remove_suffix(4);
  if (name == "Qwen2Tokenizer") {
    const Json split = {{"type", "Split"},
                        {"pattern", {{"Regex", findPreTokenizer("qwen2")->patterns.front()}}},
                        {"behavior", "Isolated"},
                        {"invert", false}};
    tokenizer["normalizer"] = {{"type", "NFC"}};
    tokenizer["pre_tokenizer"] = {{"type", "Sequence"},
                                  {"pretokenizers", Json::array({split, byteLevel(rules.addPrefixSpace, false)})}};
    return {};
  }
  if (!name.empty() && name != "GPT2Tokenizer")
    return unsupported(
        "tokenizer_class is ", Quoted{rules.tokenizerClass},
        ", of which vocab.json and merges.txt are not read; save the tokenizer with transformers to get a "
        "tokenizer.json");
  tokenizer["normalizer"] = nullptr;
  tokenizer["pre_tokenizer"] = byteLevel(rules.addPrefixSpace, true);
  return {};
}

/// The lines "left right"; a first one that starts with #version is none.
Json mergesOf(std::string_view text, const Json& vocabulary, size_t& useless) {
  Json merges = Json::array();
  for (size_t line = 0; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view merge = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (merge.ends_with('\r'))
      merge.remove_suffix(1);
    if (merge.empty() || (line == 0 && merge.starts_with("#version")))
      continue;
    const size_t space = std::min(merge.find(' '), merge.size());
    const std::string left(merge.substr(0, space)), right(merge.substr(std::min(space + 1, merge.size())));
    if (vocabulary.contains(left) && vocabulary.contains(right) && vocabulary.contains(left + right))
      merges.push_back({left, right});
    else
      ++useless;
  }
  return merges;
}

} // namespace

Result<VocabMerges> tokenizerOfVocabAndMerges(Json vocabulary, std::string_view merges, const VocabMergesRules& rules) {
  if (!text::isUtf8(merges))
    return badInput("merges.txt is not UTF-8");
  VocabMerges result;
  Json& tokenizer = result.tokenizer;
  tokenizer = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}, {"added_tokens", Json::array()}};
  LLCUDA_RETURN_IF_ERROR(addRules(rules, tokenizer));
  tokenizer["post_processor"] = nullptr;
  tokenizer["decoder"] = byteLevel(false, true);
  Json pairs = mergesOf(merges, vocabulary, result.uselessMerges);
  tokenizer["model"] = {{"type", "BPE"},
                        {"dropout", nullptr},
                        {"unk_token", nullptr},
                        {"continuing_subword_prefix", nullptr},
                        {"end_of_word_suffix", nullptr},
                        {"fuse_unk", false},
                        {"byte_fallback", false},
                        {"ignore_merges", false},
                        {"vocab", std::move(vocabulary)},
                        {"merges", std::move(pairs)}};
  return result;
}

std::vector<AddedToken> specialTokensOf(const Json& vocabulary, std::span<const std::string> texts) {
  std::vector<AddedToken> tokens;
  for (const std::string& text : texts)
    if (const auto found = vocabulary.find(text); found != vocabulary.end() && found->is_number_unsigned())
      tokens.push_back({.id = found->get<int32_t>(), .content = text, .special = true});
  return tokens;
}

} // namespace llcuda::ingest
