// SPDX-License-Identifier: Apache-2.0
#include "compiler/reference/agreement.h"

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace llcuda::reference {
namespace {

using ::testing::HasSubstr;

std::vector<OracleCase> oneCase(std::vector<std::optional<OracleStep>> steps) {
  OracleCase recorded = {{1}, {}, std::move(steps)};
  recorded.tokens.assign(recorded.steps.size(), 5);
  return {recorded};
}

ScoreCase answers(std::vector<StepScore> scores) {
  return [scores](auto, auto) { return Result<std::vector<StepScore>>(scores); };
}

TEST(Agreement, CountsOtherBestAndItsMargin) {
  const auto cases =
      oneCase({OracleStep{5, -1.0, 0.1}, OracleStep{5, -1.0, 0.3}, std::nullopt, OracleStep{5, -2.0, 9}});
  const auto agreement = measureAgreement(cases, answers({{6, -1.5}, {7, -1.0}, {8, -9}, {5, -2.25}}));
  ASSERT_TRUE(agreement.ok());
  EXPECT_EQ(agreement->steps, 3u);
  EXPECT_EQ(agreement->otherBest, 2u);
  EXPECT_DOUBLE_EQ(agreement->largestMargin, 0.3);
  EXPECT_DOUBLE_EQ(agreement->meanDifference, 0.25);
}

TEST(Agreement, EachBoundIsMissedByName) {
  const Agreement good = {.steps = 100, .otherBest = 5, .largestMargin = 0.49, .meanDifference = 0.05};
  EXPECT_TRUE(checkAgreement(good, kEngineBounds).ok());
  Agreement margin = good, share = good, mean = good, notANumber = good;
  margin.largestMargin = 0.5;
  share.otherBest = 6;
  mean.meanDifference = 0.051;
  notANumber.meanDifference = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(checkAgreement(margin, kEngineBounds).error().message, HasSubstr("margin is 0.5"));
  EXPECT_THAT(checkAgreement(share, kEngineBounds).error().message, HasSubstr("6 of 100 steps"));
  EXPECT_THAT(checkAgreement(mean, kEngineBounds).error().message, HasSubstr("log-probabilities is 0.051"));
  EXPECT_EQ(checkAgreement(notANumber, kEngineBounds).error().code, ErrorCode::kSelfCheckFailed);
}

TEST(Agreement, ReadsNullsAndRefusesOtherShapes) {
  const std::string path = ::testing::TempDir() + "llcuda_agreement_" + std::to_string(::getpid()) + ".json";
  std::ofstream(path) << R"({"cases": [{"prompt_tokens": [1, 2], "tokens": [3, 4, 5],
                          "top": [[[3, -0.5], [9, -1.5]], null, [[5, -0.25], null]]}]})";
  const auto cases = readOracle(path);
  ASSERT_TRUE(cases.ok()) << cases.error().message;
  const OracleCase& recorded = cases->front();
  ASSERT_EQ(recorded.steps.size(), 3u);
  EXPECT_DOUBLE_EQ(recorded.steps[0]->margin, 1);
  EXPECT_FALSE(recorded.steps[1]);
  EXPECT_FALSE(recorded.steps[2]);
  std::ofstream(path) << R"({"cases": [{"prompt_tokens": "x"}]})";
  EXPECT_EQ(readOracle(path).error().code, ErrorCode::kBadInput);
  std::remove(path.c_str());
}

} // namespace
} // namespace llcuda::reference
