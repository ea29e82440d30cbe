// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/hf_vocabulary.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runtime/text/tokenizer.h"
#include "tests/compiler/ingest/temporary_file.h"

namespace llcuda::ingest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using Json = nlohmann::json;

constexpr int32_t kBos = 4, kEos = 5, kTurn = 6;

Json special(int id, const char* content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

/// Byte-level BPE of four tokens and three special ones.
Json byteLevel() {
  return {
      {"version", "1.0"},
      {"added_tokens", {special(kBos, "<s>"), special(kEos, "</s>"), special(kTurn, "<|im_end|>")}},
      {"normalizer", nullptr},
      {"pre_tokenizer",
       {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}}},
      {"post_processor", nullptr},
      {"decoder", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}}},
      {"model",
       {{"type", "BPE"},
        {"dropout", nullptr},
        {"unk_token", nullptr},
        {"continuing_subword_prefix", nullptr},
        {"end_of_word_suffix", nullptr},
        {"fuse_unk", false},
        {"byte_fallback", false},
        {"ignore_merges", false},
        {"vocab", {{"a", 0}, {"b", 1}, {"ab", 2}, {"Ġ", 3}}},
        {"merges", Json::array({Json::array({"a", "b"})})}}}};
}

/// A post-processor that puts these tokens before and after a text.
Json around(const std::vector<int>& before, const std::vector<int>& after) {
  Json single = Json::array(), tokens = Json::object();
  const auto add = [&](int id) {
    const std::string name = "t" + std::to_string(id);
    single.push_back({{"SpecialToken", {{"id", name}, {"type_id", 0}}}});
    tokens[name] = {{"id", name}, {"ids", {id}}, {"tokens", {name}}};
  };
  for (const int id : before) add(id);
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  for (const int id : after) add(id);
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", Json::array()}, {"special_tokens", tokens}};
}

struct Folder {
  Folder& with(const std::string& name, const Json& json) {
    folder.write(name, json.dump());
    return *this;
  }
  TemporaryFolder folder;
};

Vocabulary read(const Folder& folder) {
  Result<Vocabulary> vocabulary = readHfVocabulary(folder.folder.path());
  EXPECT_TRUE(vocabulary) << vocabulary.error().message;
  return vocabulary ? std::move(*vocabulary) : Vocabulary();
}

std::vector<int32_t> encode(const Folder& folder, std::string_view text) {
  Vocabulary vocabulary = read(folder);
  const auto tokenizer = text::Tokenizer::open(vocabulary.tokenizerJson, vocabulary.config);
  EXPECT_TRUE(tokenizer) << tokenizer.error().message;
  return *tokenizer->encode(text);
}

TEST(HfVocabulary, TokenizerAlone) {
  Folder folder;
  folder.with("tokenizer.json", byteLevel());
  EXPECT_THAT(encode(folder, "ab b<|im_end|>"), ElementsAre(2, 3, 1, kTurn));
  const Vocabulary vocabulary = read(folder);
  EXPECT_EQ(vocabulary.size, 7u);
  EXPECT_EQ(vocabulary.config.kind, text::VocabularyKind::kBpe);
  EXPECT_EQ(vocabulary.config.bos, text::kNoToken);
  EXPECT_FALSE(vocabulary.config.addBos);
  EXPECT_FALSE(vocabulary.config.addSpacePrefix);
  // Known by their texts.
  EXPECT_THAT(vocabulary.config.endOfGeneration, ElementsAre(kEos, kTurn));
  EXPECT_EQ(vocabulary.config.eot, kTurn);
}

// What the post-processor puts around a text is BOS and EOS.
TEST(HfVocabulary, PostProcessor) {
  Json json = byteLevel();
  const Json byteLevelOffsets = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}};
  json["post_processor"] = {{"type", "Sequence"}, {"processors", {byteLevelOffsets, around({kBos}, {kEos})}}};
  Folder folder;
  folder.with("tokenizer.json", json);
  EXPECT_THAT(encode(folder, "a"), ElementsAre(kBos, 0, kEos));
  // A key of the configuration decides about its side alone.
  folder.with("tokenizer_config.json", {{"bos_token", "<s>"}, {"add_bos_token", true}, {"add_eos_token", false}});
  EXPECT_THAT(encode(folder, "a"), ElementsAre(kBos, 0));
  folder.with("tokenizer_config.json", {{"add_bos_token", false}});
  EXPECT_THAT(encode(folder, "a"), ElementsAre(0, kEos));
}

// GPT-2's own form: special tokens stand in the vocabulary, and the other files name them.
TEST(HfVocabulary, VocabularyAndMerges) {
  Folder folder;
  folder.with("vocab.json", {{"a", 0}, {"b", 1}, {"ab", 2}, {"Ġ", 3}, {"Ġa", 4}, {"<|endoftext|>", 5}});
  folder.folder.write("merges.txt", "#version: 0.2\na b\nĠ a\nx y\n");
  folder.with("special_tokens_map.json", {{"eos_token", "<|endoftext|>"}, {"bos_token", "<|endoftext|>"}});
  EXPECT_THAT(encode(folder, "ab a<|endoftext|>b"), ElementsAre(2, 4, 5, 1));
  const Vocabulary vocabulary = read(folder);
  EXPECT_EQ(vocabulary.size, 6u);
  EXPECT_EQ(vocabulary.config.eos, 5);
  EXPECT_FALSE(vocabulary.config.addBos);
  EXPECT_THAT(vocabulary.notes, ElementsAre(HasSubstr("1 merges of merges.txt")));
  folder.with("added_tokens.json", {{"<new>", 6}});
  EXPECT_THAT(encode(folder, "a<new>b"), ElementsAre(0, 6, 1));
}

// Qwen 2 cuts digits one by one and composes letters; another class is refused by name.
TEST(HfVocabulary, VocabularyAndMergesByClass) {
  Folder folder;
  folder.with("vocab.json", {{"1", 0}, {"2", 1}, {"12", 2}, {"Ã", 3}, {"©", 4}});
  folder.folder.write("merges.txt", "1 2\n");
  EXPECT_THAT(encode(folder, "12"), ElementsAre(2));
  folder.with("tokenizer_config.json", {{"tokenizer_class", "Qwen2Tokenizer"}});
  EXPECT_THAT(encode(folder, "12"), ElementsAre(0, 1));
  EXPECT_THAT(encode(folder, "e\xCC\x81"), ElementsAre(3, 4));
  folder.with("tokenizer_config.json", {{"tokenizer_class", "CLIPTokenizer"}});
  const auto refused = readHfVocabulary(folder.folder.path());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("CLIPTokenizer"));
}

TEST(HfVocabulary, RolesByTextThenById) {
  Folder folder;
  folder.with("tokenizer.json", byteLevel());
  folder.with("tokenizer_config.json", {{"bos_token", {{"content", "<s>"}}}, {"eos_token", nullptr}});
  folder.with("special_tokens_map.json", {{"eos_token", "<|im_end|>"}, {"bos_token", "</s>"}});
  folder.with("config.json", {{"pad_token_id", 3}, {"bos_token_id", 1}});
  const text::TextConfig config = read(folder).config;
  EXPECT_EQ(config.bos, kBos);
  EXPECT_EQ(config.eos, kTurn);
  EXPECT_EQ(config.padding, 3);
}

// Every EOS of config.json and generation_config.json ends an answer; ids that no token has do not.
TEST(HfVocabulary, EndsOfAnAnswer) {
  Folder folder;
  folder.with("tokenizer.json", byteLevel());
  folder.with("config.json", {{"text_config", {{"eos_token_id", 0}}}, {"eos_token_id", {1, 99}}});
  folder.with("generation_config.json", {{"eos_token_id", {2, 5}}});
  EXPECT_THAT(read(folder).config.endOfGeneration, ElementsAre(0, 1, 2, kEos, kTurn));
}

// What generation_config.json says of sampling; what is out of range is left out, and said.
TEST(HfVocabulary, SamplingDefaults) {
  Folder folder;
  folder.with("tokenizer.json", byteLevel());
  folder.with("generation_config.json", {{"temperature", 0.6}, {"top_k", 20}, {"top_p", 7}, {"do_sample", true}});
  const Vocabulary vocabulary = read(folder);
  EXPECT_EQ(vocabulary.config.sampling.numbers, (std::map<std::string, double>{{"temperature", 0.6}, {"top_k", 20}}));
  EXPECT_THAT(vocabulary.notes,
              testing::Contains("generation_config.json: top_p is 7, which is out of range, and was left out"));
}

// Tokens that only tokenizer_config.json has become tokens of the vocabulary.
TEST(HfVocabulary, AddedTokensOfTheConfiguration) {
  Folder folder;
  folder.with("tokenizer.json", byteLevel());
  folder.with("tokenizer_config.json",
              {{"added_tokens_decoder", {{"4", special(kBos, "<s>")}, {"7", special(7, "<|tool|>")}}}});
  EXPECT_THAT(encode(folder, "a<|tool|>"), ElementsAre(0, 7));
  EXPECT_EQ(read(folder).size, 8u);
}

TEST(HfVocabulary, SpaceBeforeTheTextOfMetaspace) {
  Json json = byteLevel();
  json["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "first"}, {"split", false}};
  json["decoder"] = json["pre_tokenizer"];
  json["model"]["vocab"] = {{"a", 0}, {"▁", 1}, {"▁a", 2}, {"b", 3}};
  json["model"]["merges"] = Json::array({Json::array({"▁", "a"})});
  Folder folder;
  folder.with("tokenizer.json", json);
  EXPECT_THAT(encode(folder, "a a"), ElementsAre(2, 2));
  const text::TextConfig config = read(folder).config;
  EXPECT_TRUE(config.addSpacePrefix);
  EXPECT_EQ(config.kind, text::VocabularyKind::kSpm);
}

TEST(HfVocabulary, Templates) {
  Folder folder;
  folder.with("tokenizer.json", byteLevel());
  EXPECT_EQ(read(folder).config.chatTemplate, "") << "<|im_end|> alone is no family";
  folder.with("chat_template.json", {{"chat_template", "old"}});
  EXPECT_EQ(read(folder).config.chatTemplate, "old");
  folder.with("tokenizer_config.json", {{"chat_template", "text"}});
  EXPECT_EQ(read(folder).config.chatTemplate, "text");
  folder.with("tokenizer_config.json",
              {{"chat_template",
                {{{"name", "default"}, {"template", "listed"}}, {{"name", "tool_use"}, {"template", "tools"}}}}});
  EXPECT_EQ(read(folder).config.chatTemplate, "listed");
  EXPECT_THAT(read(folder).config.namedTemplates, ElementsAre(Pair("tool_use", "tools")));
  folder.folder.write("chat_template.jinja", "file");
  std::filesystem::create_directory(folder.folder.path() + "/additional_chat_templates");
  folder.folder.write("additional_chat_templates/rag.jinja", "more");
  EXPECT_EQ(read(folder).config.chatTemplate, "file");
  EXPECT_THAT(read(folder).config.namedTemplates, ElementsAre(Pair("rag", "more"), Pair("tool_use", "tools")));
}

TEST(HfVocabulary, BuiltinTemplateOfTheFamily) {
  Json json = byteLevel();
  json["added_tokens"].push_back(special(7, "<|im_start|>"));
  Folder folder;
  folder.with("tokenizer.json", json);
  EXPECT_THAT(read(folder).config.chatTemplate, HasSubstr("<|im_start|>"));
}

// ---- tokenizer.model

void field(std::string& out, uint32_t number, std::string_view bytes) {
  out += static_cast<char>(number << 3 | 2);
  out += static_cast<char>(bytes.size());
  out += bytes;
}
void field(std::string& out, uint32_t number, uint64_t value) {
  for (uint64_t tag = number << 3;; tag >>= 7) {
    out += static_cast<char>((tag & 127) | (tag > 127 ? 128 : 0));
    if (tag <= 127)
      break;
  }
  out += static_cast<char>(value);
}

std::string piece(std::string_view text, float score, uint64_t kind = 1) {
  std::string bytes, out;
  field(bytes, 1, text);
  bytes += static_cast<char>(2 << 3 | 5);
  bytes.append(reinterpret_cast<const char*>(&score), sizeof score);
  field(bytes, 3, kind);
  field(out, 1, bytes);
  return out;
}

std::string sentencePiece(uint64_t kind = 2, uint64_t removesSpaces = 0) {
  std::string out = piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) + piece("▁", -1) + piece("a", -2) +
                    piece("▁a", -0.5);
  std::string trainer, normalizer;
  field(trainer, 3, kind);
  field(trainer, 40, 0);
  field(normalizer, 4, removesSpaces);
  field(out, 2, trainer);
  field(out, 3, normalizer);
  return out;
}

TEST(HfVocabulary, SentencePieceModelAlone) {
  Folder folder;
  folder.folder.write("tokenizer.model", sentencePiece());
  folder.with("added_tokens.json", {{"<|im_end|>", 6}});
  EXPECT_THAT(encode(folder, "a a<|im_end|>"), ElementsAre(1, 5, 5, 6));
  const Vocabulary vocabulary = read(folder);
  EXPECT_EQ(vocabulary.size, 7u);
  EXPECT_THAT(vocabulary.config.endOfGeneration, ElementsAre(2, 6));
  folder.with("tokenizer_config.json", {{"add_bos_token", false}, {"add_eos_token", true}});
  EXPECT_THAT(encode(folder, "a"), ElementsAre(5, 2));
}

TEST(HfVocabulary, SentencePieceModelsThatAreRefused) {
  const auto refusal = [](const std::string& bytes) {
    Folder folder;
    folder.folder.write("tokenizer.model", bytes);
    const Result<Vocabulary> vocabulary = readHfVocabulary(folder.folder.path());
    EXPECT_FALSE(vocabulary);
    return vocabulary ? "" : vocabulary.error().message.substr(folder.folder.path().size() + 1);
  };
  EXPECT_EQ(refusal(sentencePiece(1)), "tokenizer.model: is a SentencePiece model of kind 1; BPE (2) is supported");
  EXPECT_THAT(refusal(sentencePiece(2, 1)),
              HasSubstr("normalises text by removing spaces, which is not supported; save"));
  EXPECT_THAT(refusal("<html>"), HasSubstr("is not a SentencePiece model; it is damaged"));
  EXPECT_THAT(refusal(piece("a", 0) + piece("a", 0) + sentencePiece()), HasSubstr("token 1 repeats 'a'"));
  const std::string sound = sentencePiece();
  for (size_t length = 0; length < sound.size(); ++length) {
    Folder folder;
    folder.folder.write("tokenizer.model", sound.substr(0, length));
    if (const Result<Vocabulary> cut = readHfVocabulary(folder.folder.path())) { // between two fields of the file
      EXPECT_LE(cut->size, 6u);
    }
  }
}

TEST(HfVocabulary, RefusesByName) {
  struct Bad {
    const char* file;
    Json json;
    const char* message;
    ErrorCode code = ErrorCode::kBadInput;
  };
  Json words = byteLevel(), twice = byteLevel(), two = byteLevel(), other = byteLevel(), empty = byteLevel(),
       absent = byteLevel(), huge = byteLevel();
  words["model"]["type"] = "WordLevel";
  twice["model"]["vocab"]["c"] = 0;
  two["post_processor"] = around({kBos, kEos}, {});
  other["post_processor"] = {{"type", "Reversed"}};
  empty["model"]["vocab"] = Json::object();
  absent["post_processor"] = around({17}, {});
  huge["model"]["vocab"]["c"] = 1 << 22;
  const Bad kBad[] = {
      {"tokenizer.json", words, "the model is of type 'WordLevel'; BPE, WordPiece and Unigram are supported",
       ErrorCode::kUnsupported},
      {"tokenizer.json", twice, "tokens 'a' and 'c' have the same id 0"},
      {"tokenizer.json", two, "the post-processor puts 2 tokens before a text; one is supported",
       ErrorCode::kUnsupported},
      {"tokenizer.json", other,
       "the post-processor is of type 'Reversed'; TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel and "
       "Sequence are supported",
       ErrorCode::kUnsupported},
      {"tokenizer.json", empty, "the model has no vocab"},
      {"tokenizer.json", absent, "the post-processor puts token 17 before a text, which the vocabulary lacks"},
      {"tokenizer.json", huge, "token 'c' has no id below 4194304"},
      {"tokenizer.json", Json::array(), "the model is of type ''; BPE, WordPiece and Unigram are supported",
       ErrorCode::kUnsupported},
      {"tokenizer_config.json", Json::array(), "is not a JSON object"},
      {"tokenizer_config.json", {{"chat_template", 7}}, "chat_template is neither a text nor a list"},
      {"tokenizer_config.json",
       {{"chat_template", {{{"name", "x"}}}}},
       "chat_template is not a list of names and templates"},
  };
  for (const Bad& bad : kBad) {
    Folder folder;
    folder.with("tokenizer.json", byteLevel()).with(bad.file, bad.json);
    const Result<Vocabulary> vocabulary = readHfVocabulary(folder.folder.path());
    ASSERT_FALSE(vocabulary) << bad.message;
    EXPECT_EQ(vocabulary.error().message, folder.folder.path() + "/" + bad.file + ": " + bad.message);
    EXPECT_EQ(vocabulary.error().code, bad.code);
  }
  const TemporaryFolder none;
  EXPECT_EQ(
      readHfVocabulary(none.path()).error().message,
      none.path() +
          ": holds neither tokenizer.json nor tokenizer.model nor vocab.txt, nor vocab.json with merges.txt; save the "
          "tokenizer there too, or give its "
          "folder as --tokenizer");
}

} // namespace
} // namespace llcuda::ingest
