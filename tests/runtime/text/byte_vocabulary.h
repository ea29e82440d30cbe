// SPDX-License-Identifier: Apache-2.0
// A vocabulary of every byte, some longer pieces and two special tokens, to ask grammars about text.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/text/grammar.h"
#include "runtime/text/tokenizer.h"

namespace llcuda::text {

inline constexpr int32_t kEnd = 256, kCall = 257; ///< `<|end|>`, `<tool_call>`
inline constexpr uint32_t kByteVocabulary = 300;  ///< rows of the head, more than there are tokens

/// How byte-level BPE writes a byte.
inline std::string byteLevel(unsigned byte) {
  static const std::vector<unsigned> points = [] {
    std::vector<unsigned> of(256);
    unsigned next = 256;
    for (unsigned b = 0; b < 256; ++b)
      of[b] = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae ? b : next++;
    return of;
  }();
  const unsigned point = points[byte];
  if (point < 0x80)
    return std::string(1, static_cast<char>(point));
  return {static_cast<char>(0xc0 | point >> 6), static_cast<char>(0x80 | (point & 0x3f))};
}

inline std::string jsonQuoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + '"';
}

inline Tokenizer byteTokenizer() {
  std::string vocabulary;
  for (unsigned byte = 0; byte < 256; ++byte)
    vocabulary += jsonQuoted(byteLevel(byte)) + ":" + std::to_string(byte) + ",";
  int32_t id = kCall + 1;
  for (const char* piece : {"{\"", "\":", "true", "abc", "ab"})
    vocabulary += jsonQuoted(piece) + ":" + std::to_string(id++) + ",";
  vocabulary += R"("<|end|>":256,"<tool_call>":257)";
  const auto added = [](int32_t number, const char* name) {
    return R"({"id":)" + std::to_string(number) + R"(,"content":")" + name +
           R"(","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true})";
  };
  const std::string json = R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[)" +
                           added(kEnd, "<|end|>") + "," + added(kCall, "<tool_call>") +
                           R"(],"normalizer":null,
"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":false,"use_regex":false},
"post_processor":null,
"decoder":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":false,"use_regex":false},
"model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,
"fuse_unk":false,"byte_fallback":false,"ignore_merges":true,"vocab":{)" +
                           vocabulary + R"(},"merges":[]}})";
  TextConfig config;
  config.kind = VocabularyKind::kBpe;
  config.eos = kEnd;
  config.endOfGeneration = {kEnd};
  auto opened = Tokenizer::open(json, config);
  EXPECT_TRUE(opened.ok()) << opened.error().message;
  return std::move(*opened);
}

inline std::unique_ptr<Grammars> byteGrammars() {
  auto opened = Grammars::open(byteTokenizer(), kByteVocabulary);
  EXPECT_TRUE(opened.ok()) << opened.error().message;
  return std::move(*opened);
}

inline std::vector<uint32_t> maskOf(Matcher& matcher) {
  std::vector<uint32_t> words((kByteVocabulary + 31) / 32);
  const auto made = matcher.mask(words);
  EXPECT_TRUE(made.ok()) << made.error().message;
  return words;
}

inline bool allows(const std::vector<uint32_t>& mask, int32_t token) {
  return mask[static_cast<std::size_t>(token) / 32] >> token % 32 & 1;
}

/// Whether the grammar takes the text, byte by byte, and may then end.
inline bool accepts(const Grammar& grammar, const std::string& text) {
  auto matcher = grammar.matcher();
  EXPECT_TRUE(matcher.ok()) << matcher.error().message;
  if (!matcher)
    return false;
  for (const char c : text) {
    const auto token = static_cast<int32_t>(static_cast<unsigned char>(c));
    if (!allows(maskOf(*matcher), token))
      return false;
    const auto consumed = matcher->consume(token);
    EXPECT_TRUE(consumed.ok()) << consumed.error().message;
  }
  return allows(maskOf(*matcher), kEnd);
}

} // namespace llcuda::text
