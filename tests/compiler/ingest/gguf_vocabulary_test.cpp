// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/gguf_vocabulary.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/text/tokenizer.h"
#include "tests/compiler/ingest/vocabulary_file.h"

namespace llcuda::ingest {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Ids = std::vector<int32_t>;

Result<Vocabulary> read(const VocabularyFile& vocabulary) {
  const TemporaryFile file(vocabulary.bytes());
  LLCUDA_ASSIGN_OR_RETURN(const GgufFile gguf, GgufFile::open(file.path()));
  return readVocabulary(gguf);
}

text::TextConfig configOf(const VocabularyFile& vocabulary) {
  Result<Vocabulary> result = read(vocabulary);
  EXPECT_TRUE(result.ok()) << result.error().message;
  return result ? result->config : text::TextConfig();
}

text::Tokenizer tokenizerOf(const VocabularyFile& vocabulary) {
  Result<Vocabulary> result = read(vocabulary);
  EXPECT_TRUE(result.ok()) << result.error().message;
  Result<text::Tokenizer> tokenizer = text::Tokenizer::open(result->tokenizerJson, result->config);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  return std::move(*tokenizer);
}

/// Byte-level BPE of all bytes' letters that the tests write, with `further` tokens behind them.
VocabularyFile bpe(std::vector<VocabularyToken> further, std::vector<std::string> merges = {}) {
  VocabularyFile file;
  for (const char c : std::string("abcdefghijklmnopqrstuvwxyz0123456789'.!"))
    file.tokens.push_back({std::string(1, c)});
  for (const char* text : {"Ġ", "Ċ", "\"", "\\"}) file.tokens.push_back({text});
  file.tokens.insert(file.tokens.end(), further.begin(), further.end());
  file.merges = std::move(merges);
  return file;
}

VocabularyFile spm(std::vector<VocabularyToken> further) {
  VocabularyFile file;
  file.model = "llama";
  file.pre = "default";
  file.merges.reset();
  file.tokens = {{"<unk>", 0, TokenKind::kUnknown}, {"<s>", 0, TokenKind::kControl}, {"</s>", 0, TokenKind::kControl}};
  for (int byte = 0; byte < 256; ++byte) {
    char text[8];
    std::snprintf(text, sizeof text, "<0x%02X>", byte);
    file.tokens.push_back({text, 0, TokenKind::kByte});
  }
  file.tokens.insert(file.tokens.end(), further.begin(), further.end());
  return file;
}

std::string shown(const text::Tokenizer& tokenizer, std::string_view text, text::EncodeOptions options = {}) {
  const Ids ids = *tokenizer.encode(text, options);
  std::string result;
  for (const int32_t id : ids) result.append(tokenizer.piece(id)).append("|");
  return result;
}

TEST(GgufVocabulary, BpeMergesByRank) {
  const text::Tokenizer tokenizer = tokenizerOf(bpe({{"ab"}, {"bc"}, {"abc"}, {"Ġa"}}, {"b c", "a b", "a bc", "Ġ a"}));
  EXPECT_EQ(shown(tokenizer, "abc ab a\n\"\\"), "abc| |ab| a|\n|\"|\\|");
}

// general.sampling.*: names of stages become letters, what is no number is left out, and said.
TEST(GgufVocabulary, SamplingDefaults) {
  VocabularyFile file = bpe({});
  file.texts = {{"general.sampling.sequence", "top_k;temperature"}, {"general.sampling.temp", "hot"}};
  const Result<Vocabulary> vocabulary = read(file);
  ASSERT_TRUE(vocabulary.ok()) << vocabulary.error().message;
  EXPECT_EQ(vocabulary->config.sampling.stages, "kt");
  EXPECT_TRUE(vocabulary->config.sampling.numbers.empty());
  EXPECT_THAT(vocabulary->notes, ElementsAre("general.sampling.temp is no number and was left out"));
}

// The name of the pre-tokenizer decides where words end: digits alone, in threes from the left, or all together.
TEST(GgufVocabulary, PreTokenizersCutWords) {
  VocabularyFile file = bpe({{"12"}, {"123"}, {"34"}, {"1234"}, {"1212"}}, {"1 2", "12 3", "3 4", "12 34", "12 12"});
  const auto with = [&](const char* name) {
    file.pre = name;
    return shown(tokenizerOf(file), "12341212", {.addSpecial = false});
  };
  EXPECT_EQ(with("smollm"), "1|2|3|4|1|2|1|2|");
  EXPECT_EQ(with("qwen2"), "1|2|3|4|1|2|1|2|");
  EXPECT_EQ(with("gpt-2"), "123|4|1212|");
  EXPECT_EQ(with("llama-bpe"), "123|4|12|12|");
}

// Only some families look a whole word up before they merge.
TEST(GgufVocabulary, WholeWordsOfLlama3) {
  VocabularyFile file = bpe({{"abc"}, {"bos", 0, TokenKind::kControl}});
  file.ids = {{"bos_token_id", static_cast<uint32_t>(file.tokens.size() - 1)}};
  file.pre = "llama-bpe";
  EXPECT_EQ(shown(tokenizerOf(file), "abc", {.addSpecial = false}), "abc|");
  file.pre = "gpt-2";
  EXPECT_EQ(shown(tokenizerOf(file), "abc", {.addSpecial = false}), "a|b|c|");
}

// Every name of the table has patterns that compile and lose no character.
TEST(GgufVocabulary, EveryPreTokenizerOpens) {
  for (const char* name :
       {"default",  "llama3", "dbrx",     "chatglm-bpe",  "glm4",           "jais-2",      "qwen2",
        "laguna",   "qwen35", "ufakzeka", "minicpm5",     "seed-coder",     "bailingmoe",  "exaone-moe",
        "smollm",   "olmo",   "falcon",   "bloom",        "viking",         "tekken",      "gpt-4o",
        "tiny_aya", "youtu",  "afmoe",    "deepseek-llm", "deepseek-coder", "deepseek-v3", "superbpe"}) {
    VocabularyFile file = bpe({});
    file.pre = name;
    const std::string text = "it's 1234567 words!\n\n  and 'more'.";
    const text::Tokenizer tokenizer = tokenizerOf(file);
    EXPECT_EQ(tokenizer.decode(*tokenizer.encode(text, {.addSpecial = false})), text) << name;
  }
}

TEST(GgufVocabulary, RefusesUnknownNames) {
  VocabularyFile file = bpe({});
  file.pre = "made-up";
  EXPECT_EQ(read(file).error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(read(file).error().message, HasSubstr("\"made-up\""));
  file.model = "rwkv";
  EXPECT_EQ(read(file).error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(read(file).error().message, HasSubstr("\"rwkv\""));
  file.model.reset();
  EXPECT_EQ(read(file).error().code, ErrorCode::kBadInput);
}

TEST(GgufVocabulary, NoVocabularyIsEmpty) {
  VocabularyFile file;
  file.model = "no_vocab";
  const Result<Vocabulary> vocabulary = read(file);
  ASSERT_TRUE(vocabulary.ok());
  EXPECT_EQ(vocabulary->config.kind, text::VocabularyKind::kNone);
  EXPECT_TRUE(vocabulary->tokenizerJson.empty());
}

TEST(GgufVocabulary, DefaultsOfBos) {
  const text::TextConfig spmConfig = configOf(spm({}));
  EXPECT_EQ(spmConfig.bos, 1);
  EXPECT_EQ(spmConfig.eos, 2);
  EXPECT_TRUE(spmConfig.addBos);
  EXPECT_TRUE(spmConfig.addSpacePrefix);
  EXPECT_THAT(spmConfig.endOfGeneration, ElementsAre(2));

  VocabularyFile file = bpe({});
  EXPECT_EQ(configOf(file).bos, 11);
  EXPECT_FALSE(configOf(file).addBos);
  file.pre = "llama-bpe";
  EXPECT_TRUE(configOf(file).addBos);
  file.pre = "glm4";
  EXPECT_EQ(configOf(file).bos, text::kNoToken);
}

TEST(GgufVocabulary, KeysOverrideTheDefaults) {
  VocabularyFile file = spm({});
  file.rules = {{"add_bos_token", false}, {"add_eos_token", true}, {"add_space_prefix", false}};
  file.ids = {{"bos_token_id", 5}, {"eos_token_id", 6}, {"padding_token_id", 1u << 31}};
  const text::TextConfig config = configOf(file);
  EXPECT_FALSE(config.addBos);
  EXPECT_TRUE(config.addEos);
  EXPECT_FALSE(config.addSpacePrefix);
  EXPECT_EQ(config.bos, 5);
  EXPECT_EQ(config.eos, 6);
  EXPECT_EQ(config.padding, text::kNoToken); // no token has that id
}

TEST(GgufVocabulary, BosWithoutATokenIsRefused) {
  VocabularyFile file = bpe({});
  file.pre = "glm4";
  file.rules = {{"add_bos_token", true}};
  EXPECT_THAT(read(file).error().message, HasSubstr("no token is BOS"));
}

// A chat model whose keys name only <|endoftext|> still stops at the end of a turn, and that token is special.
TEST(GgufVocabulary, EndsOfAnAnswerAreKnownByTheirText) {
  VocabularyFile file = bpe({{"<|endoftext|>", 0, TokenKind::kControl}, {"<|im_end|>"}, {"<|fim_pad|>"}, {"</s>"}});
  const int32_t first = static_cast<int32_t>(file.tokens.size()) - 4;
  file.ids = {{"eos_token_id", static_cast<uint32_t>(first)}};
  const text::TextConfig config = configOf(file);
  EXPECT_EQ(config.eot, first + 1);
  EXPECT_THAT(config.endOfGeneration, ElementsAre(first, first + 1, first + 2, first + 3));
  EXPECT_TRUE(tokenizerOf(file).isSpecial(first + 1));
}

// In the harmony format <|end|> parts messages of one answer; only <|return|> and <|call|> end it.
TEST(GgufVocabulary, EndOfAMessageIsNotAlwaysTheEnd) {
  VocabularyFile file = bpe({{"<|return|>"}, {"<|call|>"}, {"<|end|>"}, {"<|channel|>", 0, TokenKind::kControl}});
  const int32_t first = static_cast<int32_t>(file.tokens.size()) - 4;
  file.ids = {{"eos_token_id", static_cast<uint32_t>(first)}, {"eot_token_id", static_cast<uint32_t>(first)}};
  EXPECT_THAT(configOf(file).endOfGeneration, ElementsAre(first, first + 1));
  EXPECT_FALSE(tokenizerOf(file).isSpecial(first + 2));
  EXPECT_FALSE(tokenizerOf(file).isSpecial(first + 3));
}

TEST(GgufVocabulary, SpecialTokensAndUserDefinedTokens) {
  const text::Tokenizer tokenizer =
      tokenizerOf(bpe({{"<|im_end|>", 0, TokenKind::kControl}, {"  ", 0, TokenKind::kUserDefined}}));
  EXPECT_EQ(shown(tokenizer, "a<|im_end|>  b"), "a|<|im_end|>|  |b|");
  EXPECT_EQ(shown(tokenizer, "a  b", {.parseSpecial = false}), "a|  |b|");
  EXPECT_EQ(tokenizer.encode("<|im_end|>", {.parseSpecial = false})->size(), 5u); // i m e n d: the rest has no tokens
}

// The templates of the file, by name too; without one, that of the family.
TEST(GgufVocabulary, ChatTemplates) {
  VocabularyFile file = bpe({{"<|im_start|>", 0, TokenKind::kControl}});
  EXPECT_THAT(configOf(file).chatTemplate, HasSubstr("<|im_start|>"));
  file.texts = {{"tokenizer.chat_template", "plain"}, {"tokenizer.chat_template.tool_use", "tools"}};
  EXPECT_EQ(configOf(file).chatTemplate, "plain");
  EXPECT_THAT(configOf(file).namedTemplates, ElementsAre(testing::Pair("tool_use", "tools")));
  EXPECT_EQ(configOf(bpe({})).chatTemplate, "");
}

TEST(GgufVocabulary, Phi3TakesTheSpaceBehindSpecialTokens) {
  VocabularyFile file = spm({{"▁", -1}, {"a", -2}, {"<|end|>", 0, TokenKind::kControl}});
  const Ids kept = *tokenizerOf(file).encode("<|end|> \na", {.addSpecial = false});
  file.texts = {{"general.name", "Phi-3 Mini"}};
  const Ids taken = *tokenizerOf(file).encode("<|end|> \na", {.addSpecial = false});
  EXPECT_THAT(taken, ElementsAre(261, 259, 260));
  EXPECT_THAT(kept, ElementsAre(261, 259, 259, 3 + '\n', 260));
}

// A merge that joins no token, makes none, or is no pair never comes to pass: the others do, and a note counts it.
TEST(GgufVocabulary, UselessMergesAreLeftOut) {
  const VocabularyFile file = bpe({{"ab"}, {"abc"}}, {"a b", "a ä", "x y", "ab", "", "ab c"});
  const Result<Vocabulary> result = read(file);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_THAT(result->notes, ElementsAre(AllOf(HasSubstr("4 merges"), HasSubstr("the first is merge 1"))));
  EXPECT_EQ(shown(tokenizerOf(file), "abc xy"), "abc| |x|y|");
  EXPECT_TRUE(read(bpe({{"ab"}}, {"a b"}))->notes.empty());
}

// The title is for people: whatever its bytes are, the model is read.
TEST(GgufVocabulary, TitleNeedNotBeUtf8) {
  VocabularyFile file = bpe({});
  file.texts = {{"general.name", "Tiny \xC3("}};
  EXPECT_TRUE(read(file).ok());
}

std::string refusal(const VocabularyFile& file) {
  const Result<Vocabulary> result = read(file);
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kBadInput);
  return result.error().message;
}

TEST(GgufVocabulary, RefusesDamagedLists) {
  EXPECT_THAT(refusal(bpe({{"a"}})), HasSubstr("tokens[43] repeats token 0"));
  EXPECT_THAT(refusal(bpe({{"\xC3("}})), HasSubstr("tokens[43] is not UTF-8"));
  VocabularyFile file = bpe({});
  file.merges.reset();
  EXPECT_THAT(refusal(file), HasSubstr("merges is missing"));
  file = spm({});
  file.missingScores = 1;
  EXPECT_THAT(refusal(file), HasSubstr("scores has 258 entries for 259 tokens"));
  file = spm({{"a", std::numeric_limits<float>::quiet_NaN()}});
  EXPECT_THAT(refusal(file), HasSubstr("scores[259] is not a finite number"));
  file = spm({});
  file.tokens.clear();
  EXPECT_THAT(refusal(file), HasSubstr("tokens is not a list of strings"));
}

TEST(GgufVocabulary, EmptyTokensKeepTheirPlace) {
  const text::Tokenizer tokenizer = tokenizerOf(bpe({{""}, {"zz"}}));
  EXPECT_EQ(tokenizer.find("zz"), 44);
  EXPECT_EQ(tokenizer.find("[EMPTY_43]"), 43);
}

/// SentencePiece BPE as its definition says: look at all pairs, join the best, begin again.
Ids slowSpm(const std::vector<VocabularyToken>& tokens, const std::string& text) {
  const auto find = [&](const std::string& piece) {
    for (size_t id = 0; id < tokens.size(); ++id)
      if (tokens[id].text == piece)
        return static_cast<int32_t>(id);
    return text::kNoToken;
  };
  std::vector<std::string> pieces;
  for (const char c : text) pieces.push_back(std::string(1, c));
  while (true) {
    size_t best = pieces.size();
    for (size_t i = 0; i + 1 < pieces.size(); ++i) {
      const int32_t id = find(pieces[i] + pieces[i + 1]);
      if (id != text::kNoToken &&
          (best == pieces.size() || tokens[id].score > tokens[find(pieces[best] + pieces[best + 1])].score))
        best = i;
    }
    if (best == pieces.size())
      break;
    pieces[best] += pieces[best + 1];
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
  Ids ids;
  for (const std::string& piece : pieces) ids.push_back(find(piece));
  return ids;
}

// Random vocabularies over two letters, with few scores so that ties are many.
TEST(GgufVocabulary, SpmAgreesWithItsDefinition) {
  std::mt19937 random(11);
  const auto word = [&](size_t size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) text += "ab"[random() % 2];
    return text;
  };
  for (int round = 0; round < 40; ++round) {
    std::vector<VocabularyToken> further = {{"a", -9}, {"b", -9}};
    for (int i = 0; i < 30; ++i) {
      const std::string text = word(2 + random() % 5);
      const auto same = [&](const VocabularyToken& token) { return token.text == text; };
      if (std::none_of(further.begin(), further.end(), same))
        further.push_back({text, -static_cast<float>(random() % 4)});
    }
    VocabularyFile file = spm(further);
    file.rules = {{"add_space_prefix", false}};
    const text::Tokenizer tokenizer = tokenizerOf(file);
    for (int i = 0; i < 30; ++i) {
      const std::string text = word(1 + random() % 24);
      EXPECT_EQ(*tokenizer.encode(text, {.addSpecial = false}), slowSpm(file.tokens, text)) << text;
    }
  }
}

// A flipped byte in a vocabulary is an error or another vocabulary that opens, never a crash.
TEST(GgufVocabulary, SurvivesFlippedBytes) {
  const std::string sound = spm({{"▁", -1}, {"a", -2}, {"▁a", -1}}).bytes();
  std::mt19937 random(5);
  for (int round = 0; round < 400; ++round) {
    std::string bytes = sound;
    bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    const TemporaryFile file(bytes);
    const Result<GgufFile> gguf = GgufFile::open(file.path());
    if (!gguf)
      continue;
    if (const Result<Vocabulary> vocabulary = readVocabulary(*gguf)) {
      EXPECT_TRUE(text::Tokenizer::open(vocabulary->tokenizerJson, vocabulary->config).ok());
    }
  }
}

} // namespace
} // namespace llcuda::ingest
