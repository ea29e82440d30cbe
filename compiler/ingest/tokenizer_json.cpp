// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/tokenizer_json.h"

#include <algorithm>
#include <charconv>

namespace llcuda::ingest {
namespace {

void appendText(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

/// The shortest text that reads back as the same number of its type.
template <typename Number>
void appendNumber(std::string& out, Number value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out.append(buffer, end);
}

void appendBase64(std::string& out, std::span<const std::byte> bytes) {
  static constexpr char kLetters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t b = 0; b < 3; ++b) word = word << 8 | (b < count ? static_cast<uint32_t>(bytes[i + b]) : 0);
    for (size_t letter = 0; letter < 4; ++letter)
      out += letter <= count ? kLetters[word >> (18 - 6 * letter) & 63] : '=';
  }
}

/// Joins what `write(i)` writes for i < count by commas.
template <typename Write>
void appendList(std::string& out, size_t count, const Write& write) {
  for (size_t i = 0; i < count; ++i) {
    if (i != 0)
      out += ',';
    write(i);
  }
}

bool isAdded(TokenKind kind) {
  return kind == TokenKind::kControl || kind == TokenKind::kUnknown || kind == TokenKind::kUserDefined;
}

void appendAddedTokens(std::string& out, const TokenList& tokens, const SpaceRule& spaces) {
  std::vector<size_t> added;
  for (size_t id = 0; id < tokens.kinds.size(); ++id)
    if (isAdded(tokens.kinds[id]))
      added.push_back(id);
  out += R"("added_tokens":[)";
  appendList(out, added.size(), [&](size_t i) {
    const std::string& text = tokens.texts[added[i]];
    const bool kept = std::find(spaces.exceptFor.begin(), spaces.exceptFor.end(), text) != spaces.exceptFor.end();
    out += R"({"id":)" + std::to_string(added[i]) + R"(,"content":)";
    appendText(out, text);
    out += R"(,"single_word":false,"lstrip":false,"rstrip":)";
    out += spaces.stripAfter && !kept ? "true" : "false";
    out += R"(,"normalized":false,"special":)";
    out += tokens.kinds[added[i]] == TokenKind::kUserDefined ? "false}" : "true}";
  });
  out += "],";
}

constexpr std::string_view kHead = R"({"version":"1.0","truncation":null,"padding":null,)";
constexpr std::string_view kSpaceToUnderline = R"({"type":"Replace","pattern":{"String":" "},"content":"▁"})";
constexpr std::string_view kRawDecoder =
    R"({"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"}]})";

void appendSplits(std::string& out, const PreTokenizer& preTokenizer) {
  out += R"({"type":"Sequence","pretokenizers":[)";
  appendList(out, preTokenizer.patterns.size(), [&](size_t i) {
    out += R"({"type":"Split","pattern":{"Regex":)";
    appendText(out, preTokenizer.patterns[i]);
    out += R"(},"behavior":"Isolated","invert":false})";
  });
  if (preTokenizer.byteLevel)
    out += R"(,{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":false,"use_regex":false})";
  out += "]}";
}

} // namespace

std::string spmTokenizerJson(const TokenList& tokens, int32_t unknown, bool addSpacePrefix, const SpaceRule& spaces) {
  std::string out(kHead);
  appendAddedTokens(out, tokens, spaces);
  out += R"("normalizer":{"type":"Sequence","normalizers":[)";
  if (addSpacePrefix)
    out += R"({"type":"Prepend","prepend":"▁"},)";
  out += kSpaceToUnderline;
  out += R"(]},"pre_tokenizer":null,"post_processor":null,"decoder":)";
  out += kRawDecoder;
  out += R"(,"model":{"type":"ScoredBPE","unk_id":)";
  out += unknown < 0 ? "null" : std::to_string(unknown);
  out += R"(,"vocab":[)";
  appendList(out, tokens.texts.size(), [&](size_t id) {
    out += '[';
    appendText(out, tokens.texts[id]);
    out += ',';
    appendNumber(out, tokens.scores[id]);
    out += ']';
  });
  return out += "]}}";
}

std::string wordPieceTokenizerJson(const TokenList& tokens, int32_t unknown, bool lowerCase) {
  std::string out(kHead);
  appendAddedTokens(out, tokens, SpaceRule());
  out += R"("normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,)"
         R"("lowercase":)";
  out += lowerCase ? "true" : "false";
  out += R"(},"pre_tokenizer":{"type":"BertPreTokenizer"},"post_processor":null,)"
         R"("decoder":{"type":"WordPiece","prefix":"##","cleanup":false},)"
         R"("model":{"type":"WordPiece","continuing_subword_prefix":"##","max_input_chars_per_word":100,"unk_token":)";
  appendText(out, tokens.texts[static_cast<size_t>(unknown)]);
  out += R"(,"vocab":{)";
  appendList(out, tokens.texts.size(), [&](size_t id) {
    appendText(out, tokens.texts[id]);
    out += ':' + std::to_string(id);
  });
  return out += "}}}";
}

std::string unigramTokenizerJson(const TokenList& tokens, int32_t unknown, std::span<const std::byte> characterMap) {
  std::string out(kHead);
  appendAddedTokens(out, tokens, SpaceRule());
  out += R"("normalizer":)";
  if (characterMap.empty()) {
    out += "null";
  } else {
    out += R"({"type":"Precompiled","precompiled_charsmap":")";
    appendBase64(out, characterMap);
    out += "\"}";
  }
  out += R"(,"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},)"
         R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}]},"post_processor":null,)"
         R"("decoder":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},)"
         R"("model":{"type":"Unigram","byte_fallback":false,"unk_id":)";
  out += std::to_string(unknown) + R"(,"vocab":[)";
  appendList(out, tokens.texts.size(), [&](size_t id) {
    out += '[';
    appendText(out, tokens.texts[id]);
    out += ',';
    appendNumber(out, static_cast<double>(tokens.scores[id])); // which is what sums of them are made in
    out += ']';
  });
  return out += "]}}";
}

std::string bpeTokenizerJson(const TokenList& tokens, const PreTokenizer& preTokenizer, const SpaceRule& spaces) {
  std::string out(kHead);
  appendAddedTokens(out, tokens, spaces);
  out += R"("normalizer":)";
  out += preTokenizer.byteLevel ? std::string_view("null") : kSpaceToUnderline;
  out += R"(,"pre_tokenizer":)";
  appendSplits(out, preTokenizer);
  out += R"(,"post_processor":null,"decoder":)";
  out +=
      preTokenizer.byteLevel
          ? std::string_view(R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":false,"use_regex":false})")
          : kRawDecoder;
  out += R"(,"model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,)"
         R"("end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":)";
  out += preTokenizer.byteLevel ? "false" : "true";
  out += R"(,"ignore_merges":)";
  out += preTokenizer.wholeWords ? "true" : "false";
  out += R"(,"vocab":{)";
  appendList(out, tokens.texts.size(), [&](size_t id) {
    appendText(out, tokens.texts[id]);
    out += ':' + std::to_string(id);
  });
  out += R"(},"merges":[)";
  appendList(out, tokens.merges.size(), [&](size_t i) {
    out += '[';
    appendText(out, tokens.merges[i].first);
    out += ',';
    appendText(out, tokens.merges[i].second);
    out += ']';
  });
  return out += "]}}";
}

} // namespace llcuda::ingest
