// SPDX-License-Identifier: Apache-2.0
#include "tests/runtime/engine/toy_text.h"

#include <array>
#include <cstring>
#include <memory>
#include <string_view>

namespace llcuda::toy {
namespace {

constexpr std::string_view kAscii = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,!?";
/// Bytes of U+00E9, U+20AC and U+1F600, and one that starts a character which never comes.
constexpr std::array<unsigned char, 10> kBytes = {0xC3, 0xA9, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0x80, 0xC2};
constexpr std::array<std::string_view, 3> kSpecial = {"<|start|>", "<|turn|>", "<|end|>"};

constexpr const char* kChatTemplate =
    "{{ bos_token }}{% for m in messages %}<|turn|>{{ m.role | first }} {{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<|turn|>{% endif %}";

bool isPrintable(unsigned char byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

/// The character that stands for a byte in byte-level vocabularies, as UTF-8: itself if printable, else the next one
/// from U+0100 on.
std::string byteCharacter(unsigned char byte) {
  unsigned code = byte;
  if (!isPrintable(byte)) {
    code = 0x100;
    for (unsigned b = 0; b < byte; ++b) code += !isPrintable(static_cast<unsigned char>(b));
  }
  if (code < 0x80)
    return std::string(1, static_cast<char>(code));
  return {static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3F))};
}

std::string tokenizerJson(std::string_view capitals) {
  std::string vocabulary, added;
  for (int32_t token = 0; token < kStartToken; ++token) {
    std::string characters, bytes = tokenBytes(token);
    if (bytes[0] >= 'A' && bytes[0] <= 'Z' && bytes.size() == 1 && !capitals.empty())
      bytes[0] = capitals[static_cast<std::size_t>(bytes[0] - 'A')];
    for (char byte : bytes) {
      characters += byte == '"' || byte == '\\' ? "\\" : "";
      characters += byteCharacter(static_cast<unsigned char>(byte));
    }
    vocabulary += (token ? ", \"" : "\"") + characters + "\": " + std::to_string(token);
  }
  for (std::size_t i = 0; i < kSpecial.size(); ++i) {
    const std::string id = std::to_string(kStartToken + i), content(kSpecial[i]);
    vocabulary += ", \"" + content + "\": " + id;
    added +=
        (i ? ", " : "") + ("{\"id\": " + id) + ", \"content\": \"" + content +
        "\", \"single_word\": false, \"lstrip\": false, \"rstrip\": false, \"normalized\": false, \"special\": true}";
  }
  const std::string level =
      "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"trim_offsets\": true, \"use_regex\": false}";
  return "{\"version\": \"1.0\", \"truncation\": null, \"padding\": null, \"added_tokens\": [" + added +
         "], \"normalizer\": null, \"pre_tokenizer\": " + level + ", \"post_processor\": null, \"decoder\": " + level +
         ", \"model\": {\"type\": \"BPE\", \"dropout\": null, \"unk_token\": null, \"continuing_subword_prefix\": "
         "null, "
         "\"end_of_word_suffix\": null, \"fuse_unk\": false, \"byte_fallback\": false, \"vocab\": {" +
         vocabulary + "}, \"merges\": []}}";
}

std::string configJson() {
  return "{\"kind\": \"bpe\", \"pre_tokenizer\": \"toy\", \"bos\": 94, \"eos\": 96, \"eot\": null, \"unknown\": null, "
         "\"padding\": null, \"add_bos\": true, \"add_eos\": false, \"add_space_prefix\": false, "
         "\"end_of_generation\": [96], \"named_templates\": {}, \"sampling\": {}, \"sampling_stages\": \"\", "
         "\"chat_template\": \"" +
         std::string(kChatTemplate) + "\"}";
}

} // namespace

std::string tokenBytes(int32_t token) {
  auto index = static_cast<std::size_t>(token);
  if (index < kAscii.size())
    return std::string(1, kAscii[index]);
  index -= kAscii.size();
  if (index < kBytes.size())
    return std::string(1, static_cast<char>(kBytes[index]));
  index -= kBytes.size();
  return std::string(2, static_cast<char>('a' + index)); // "aa", "bb", ...: no text is tokenized into them
}

void addText(ToyEngine& engine, std::string_view capitals) {
  const std::string tokenizer = tokenizerJson(capitals), config = configJson();
  const std::string segment = tokenizer + config;
  engine.text.resize(segment.size());
  std::memcpy(engine.text.data(), segment.data(), segment.size());
  engine.metadata.text = std::make_unique<fb::TextT>();
  engine.metadata.text->tokenizer = std::make_unique<fb::Span>(0, tokenizer.size());
  engine.metadata.text->config = std::make_unique<fb::Span>(tokenizer.size(), config.size());
  auto vectors = std::make_unique<fb::TokenizerVectorsT>();
  vectors->texts = {"", "ab<|turn|>\xC3\xA9"};
  vectors->ids = {kStartToken, kStartToken, 0, 1, kTurnToken, 67, 68};
  vectors->ends = {1, 7};
  engine.metadata.tokenizer_vectors = std::move(vectors);
}

} // namespace llcuda::toy
