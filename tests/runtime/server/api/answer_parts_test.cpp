// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/answer_parts.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace llcuda::server {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

void expectFinite(const Json& timings) {
  for (const auto& [name, value] : timings.items()) {
    EXPECT_TRUE(value.is_number()) << name;
    EXPECT_TRUE(std::isfinite(value.get<double>())) << name;
    EXPECT_GE(value.get<double>(), 0) << name;
  }
}

// A rate by the number of tokens would count the first one, which the prompt's run made.
TEST(AnswerParts, RatesCountSteps) {
  const Json timings =
      timingsJson({.promptTokens = 10, .cachedTokens = 4, .generated = 5, .promptMs = 2, .generatedMs = 8});
  EXPECT_EQ(timings["prompt_n"], 6);
  EXPECT_EQ(timings["cache_n"], 4);
  EXPECT_DOUBLE_EQ(timings["predicted_per_second"].get<double>(), 500);
  EXPECT_DOUBLE_EQ(timings["predicted_per_token_ms"].get<double>(), 2);
}

// llama-server has them only where tokens were drafted.
TEST(AnswerParts, DraftsWhereThereWereAny) {
  EXPECT_FALSE(timingsJson({.generated = 5}).contains("draft_n"));
  Timings sum = {.generated = 5, .draftTokens = 7, .acceptedDraftTokens = 3};
  sum += {.generated = 5, .draftTokens = 2, .acceptedDraftTokens = 1};
  EXPECT_EQ(timingsJson(sum)["draft_n"], 9);
  EXPECT_EQ(timingsJson(sum)["draft_n_accepted"], 4);
}

TEST(AnswerParts, TimingsAreFinite) {
  expectFinite(timingsJson({}));
  expectFinite(timingsJson({.promptTokens = 4, .cachedTokens = 4}));
  expectFinite(timingsJson({.promptTokens = 4, .generated = 1, .promptMs = 1}));
}

// lm-eval compares the chosen token's number with the best one's as floats.
TEST(AnswerParts, OneNumberInBothPlaces) {
  const ReportedToken token{7, " a", -0.1234567f, {{7, " a", -0.1234567f}, {9, "b", -3.5f}}};
  const Json legacy = legacyLogprobs({token}, false, 0);
  EXPECT_EQ(legacy["token_logprobs"][0].get<double>(), legacy["top_logprobs"][0][" a"].get<double>());
}

TEST(AnswerParts, LegacyOffsetsCountCharacters) {
  const Json legacy = legacyLogprobs({{1, "é", -1, {}}, {2, "b", -1, {}}}, true, 3);
  EXPECT_EQ(legacy["text_offset"], Json::array({3, 4}));
  EXPECT_TRUE(legacy["token_logprobs"][0].is_null());
  EXPECT_TRUE(legacy["top_logprobs"][0].is_null());
}

TEST(AnswerParts, PartOfACharacterHasItsBytes) {
  const Json json = tokenJson({5, "\xc3", kNever, {}}, false);
  EXPECT_EQ(json["token"], "\uFFFD");
  EXPECT_EQ(json["bytes"], Json::array({0xc3}));
  EXPECT_TRUE(json["logprob"].is_number());
}

TEST(AnswerParts, ProbabilitiesLeaveTheImpossibleOut) {
  const Json json = tokenJson({5, "a", 0, {{5, "a", 0}, {6, "b", kNever}}}, true);
  EXPECT_EQ(json["prob"], 1.0);
  EXPECT_EQ(json["top_probs"].size(), 1u);
}

} // namespace
} // namespace llcuda::server
