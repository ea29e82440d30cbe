// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/text_config.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::text {
namespace {

using testing::HasSubstr;

TextConfig full() {
  TextConfig config;
  config.kind = VocabularyKind::kSpm;
  config.preTokenizer = "smollm";
  config.bos = 1;
  config.eos = 2;
  config.eot = 7;
  config.endOfGeneration = {2, 7};
  config.addBos = config.addSpacePrefix = true;
  config.chatTemplate = "{{ messages }}\n\"é\"";
  config.namedTemplates = {{"tool_use", "{{ tools }}"}};
  config.sampling = {{{"temperature", 0.6}, {"top_k", 20}}, "kt"};
  return config;
}

TEST(TextConfig, ReadsWhatItWrote) {
  const std::string json = toJson(full());
  const Result<TextConfig> config = parseTextConfig(json);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->kind, VocabularyKind::kSpm);
  EXPECT_EQ(config->preTokenizer, "smollm");
  EXPECT_EQ(config->bos, 1);
  EXPECT_EQ(config->eot, 7);
  EXPECT_EQ(config->unknown, kNoToken);
  EXPECT_EQ(config->endOfGeneration, (std::vector<int32_t>{2, 7}));
  EXPECT_TRUE(config->addBos);
  EXPECT_FALSE(config->addEos);
  EXPECT_TRUE(config->addSpacePrefix);
  EXPECT_EQ(config->chatTemplate, full().chatTemplate);
  EXPECT_EQ(config->namedTemplates, full().namedTemplates);
  EXPECT_EQ(config->sampling.numbers, full().sampling.numbers);
  EXPECT_EQ(config->sampling.stages, "kt");
  EXPECT_EQ(toJson(*config), json);
  EXPECT_EQ(toJson(*parseTextConfig(toJson(TextConfig()))), toJson(TextConfig()));
}

TEST(TextConfig, KnowsWhatEndsAnAnswer) {
  EXPECT_TRUE(full().endsGeneration(7));
  EXPECT_FALSE(full().endsGeneration(1));
  EXPECT_FALSE(full().endsGeneration(kNoToken));
}

std::string refusal(std::string_view from, std::string_view to) {
  std::string json = toJson(full());
  const size_t at = json.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  const Result<TextConfig> config = parseTextConfig(json.replace(at, from.size(), to));
  if (config)
    return "it was read";
  EXPECT_EQ(config.error().code, ErrorCode::kBadInput);
  return config.error().message;
}

TEST(TextConfig, RefusesByKey) {
  EXPECT_THAT(refusal(R"("bos":1)", R"("bos":-1)"), HasSubstr("bos is not a token id"));
  EXPECT_THAT(refusal(R"("bos":1)", R"("bos":2147483648)"), HasSubstr("bos is not a token id"));
  EXPECT_THAT(refusal(R"("bos":1,)", ""), HasSubstr("bos is missing"));
  EXPECT_THAT(refusal(R"("kind":"spm")", R"("kind":"wpm")"),
              HasSubstr("kind is not none, spm, bpe, wordpiece or unigram"));
  EXPECT_THAT(refusal(R"("add_bos":true)", R"("add_bos":1)"), HasSubstr("add_bos is not true or false"));
  EXPECT_THAT(refusal("[2,7]", "[7,2]"), HasSubstr("end_of_generation is not ascending"));
  EXPECT_THAT(refusal("[2,7]", "[2,null]"), HasSubstr("end_of_generation is not a token id"));
  EXPECT_THAT(refusal(R"("tool_use":"{{ tools }}")", R"("tool_use":3)"), HasSubstr("named_templates"));
  EXPECT_THAT(refusal(R"("top_k":20)", R"("top_k":-2)"), HasSubstr("sampling is not an object of known numbers"));
  EXPECT_THAT(refusal(R"("top_k":20)", R"("top_q":20)"), HasSubstr("sampling is not"));
  EXPECT_THAT(refusal(R"("sampling_stages":"kt")", R"("sampling_stages":"kq")"), HasSubstr("sampling_stages is not"));
  EXPECT_THAT(refusal(R"("eos":2)", R"("eos":2,"more":1)"), HasSubstr("keys"));
  EXPECT_FALSE(parseTextConfig("").ok());
  EXPECT_FALSE(parseTextConfig("[]").ok());
  EXPECT_FALSE(parseTextConfig(std::string(100000, '[')).ok());
}

TEST(TextConfig, ChecksIdsAgainstTheVocabulary) {
  EXPECT_TRUE(checkTextConfig(full(), 8).ok());
  EXPECT_THAT(checkTextConfig(full(), 7).error().message, HasSubstr("eot is token 7 of 7"));
  TextConfig config = full();
  config.bos = kNoToken;
  EXPECT_THAT(checkTextConfig(config, 8).error().message, HasSubstr("no bos token"));
}

// A flipped byte is an error or another sound config, never a crash.
TEST(TextConfig, SurvivesFlippedBytes) {
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    std::string json = toJson(full());
    json[random() % json.size()] = static_cast<char>(random());
    if (const Result<TextConfig> config = parseTextConfig(json)) {
      EXPECT_TRUE(parseTextConfig(toJson(*config)).ok());
    }
  }
}

} // namespace
} // namespace llcuda::text
