// SPDX-License-Identifier: Apache-2.0
// Predictions from works and listings alone: what a kernel is called does not matter.
#include "codegen/sass/predictor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::codegen {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

SassListing listingOf(std::initializer_list<const char*> opcodes, std::vector<SassLoop> loops) {
  SassListing listing;
  for (const char* opcode : opcodes) listing.instructions.push_back({0, opcode});
  listing.loops = std::move(loops);
  return listing;
}

/// Of a kernel that multiplies with dp4a in its one loop.
PredictedCode products(std::string name) {
  return {.name = std::move(name),
          .threads = 32,
          .registers = 32,
          .listing = listingOf({"S2R", "LDG.E.128.SYS", "IDP.4A.S8.S8", "BRA", "EXIT"}, {{1, 3}})};
}

PredictedCode copies(std::string name) {
  return {.name = std::move(name),
          .threads = 64,
          .registers = 32,
          .listing = listingOf({"LDG.E.128.SYS", "FADD", "BRA", "EXIT"}, {{0, 2}})};
}

// 64 x 128 products of one warp are 64 turns of 3 instructions, whatever the bytes are.
TEST(Predictor, LoopsTurnByTheStatedProducts) {
  PredictedStep step;
  step.kernels = {products("k0")};
  step.launches = {{0, 1, {.rows = 1, .fixedBytes = 8192, .rowMultiplyAdds = 64 * 128}}};
  const Prediction prediction = predictStep(step, {1000});
  ASSERT_EQ(prediction.kernels.size(), 1u);
  EXPECT_EQ(prediction.kernels[0].instructions, 2 + 64 * 3);
  EXPECT_EQ(prediction.kernels[0].bytes, 8192);
  EXPECT_EQ(prediction.kernels[0].multiplyAdds, 64 * 128);
}

// Four rows take the products of a fragment of eight: 32 products of 1,024 are 32 turns, where four rows state 16.
TEST(Predictor, DecodeMultipliesWholeFragments) {
  PredictedStep step;
  step.kernels = {{.name = "k0",
                   .threads = 32,
                   .registers = 32,
                   .listing = listingOf({"S2R", "LDG.E.SYS", "IMMA.8816.S8.S8", "BRA", "EXIT"}, {{1, 3}})}};
  step.launches = {{0, 1, {.rows = 4, .fixedBytes = 64, .rowMultiplyAdds = 4096, .unit = ArithmeticUnit::kDp4a}}};
  step.rows.rows = 4;
  EXPECT_EQ(predictStep(step, {1000}).kernels[0].instructions, 2 + 32 * 3);
}

// A cache is read as far as the context goes, or the window; its loops are counted by bytes.
TEST(Predictor, KeysAreThoseOfTheContext) {
  PredictedStep step;
  step.kernels = {copies("k0")};
  step.launches = {{0, 1, {.rows = 1, .keyBytes = 1024, .keyMultiplyAdds = 512}},
                   {0, 1, {.rows = 1, .window = 100, .keyBytes = 1024, .keyMultiplyAdds = 512}}};
  step.rows.positions = 400;
  const Prediction prediction = predictStep(step, {1000});
  EXPECT_EQ(prediction.kernels[0].bytes, 500 * 1024);
  EXPECT_EQ(prediction.kernels[0].multiplyAdds, 500 * 512);
  EXPECT_EQ(prediction.kernels[0].instructions, 2 * 2 * (1 + 250 * 1024 / 2 / 512 * 3));
}

// Tiles of tensor cores are counted by their products, keys as each row of a prompt sees them: 1 + 2 + ... + 64.
TEST(Predictor, PromptsSeeTheKeysBefore) {
  PredictedStep step;
  step.kernels = {
      {.name = "k0", .threads = 32, .registers = 32, .listing = listingOf({"HMMA.1688.F32", "BRA", "EXIT"}, {{0, 1}})}};
  step.launches = {{0, 1, {.rows = 64, .keyBytes = 64, .keyMultiplyAdds = 1024, .unit = ArithmeticUnit::kTensorF16}}};
  step.rows = {.rows = 64, .sequences = 1, .positions = 64};
  const Prediction prediction = predictStep(step, {1000});
  EXPECT_EQ(prediction.kernels[0].multiplyAdds, 64 * 65 / 2 * 1024);
  EXPECT_EQ(prediction.kernels[0].instructions, 1 + 64 * 65 / 2 * 2);
  EXPECT_EQ(prediction.kernels[0].bytes, 64 * 64);
}

// Of the tiles that there can be those work that experts' choices fill: of 16 rows that choose one of two experts 16 +
// 15 rows in tiles of 16, two of the two that there can be; each tile multiplies 16 rows.
TEST(Predictor, TilesOfExperts) {
  PredictedStep step;
  step.kernels = {
      {.name = "k0", .threads = 32, .registers = 32, .listing = listingOf({"HMMA.1688.F32", "BRA", "EXIT"}, {{0, 1}})}};
  const LaunchWork work = {.rows = 16,
                           .rowMultiplyAdds = 1024,
                           .expertBytes = 1000,
                           .experts = 2,
                           .choices = 1,
                           .tileRows = 16,
                           .unit = ArithmeticUnit::kTensorF16};
  step.launches = {{0, 2, work}};
  step.rows = {.rows = 16, .sequences = 1, .positions = 16};
  const PredictedKernel whole = predictStep(step, {1000}).kernels[0];
  EXPECT_EQ(whole.multiplyAdds, 16 * 1024);
  EXPECT_NEAR(whole.instructions, 2 + 2 * 2 * 16 * 1024 / 1024., 0.1);
  step.rows.rows = 1; // one expert's weights, one tile
  const PredictedKernel one = predictStep(step, {1000}).kernels[0];
  EXPECT_EQ(one.bytes, 1000);
  EXPECT_NEAR(one.instructions, 1 + 2 * 16 * 1024 / 1024., 0.1);
}

// 40 multiprocessors read the rows that a linear multiplies, each all of them; what only reads rows divides them.
TEST(Predictor, LinearsReadTheirRowsOnEveryMultiprocessor) {
  PredictedStep step;
  step.kernels = {products("k0"), copies("k1")};
  step.launches = {{0, 400, {.rows = 1, .fixedBytes = 6000, .rowRead = 600, .rowMultiplyAdds = 64}},
                   {1, 400, {.rows = 1, .fixedBytes = 6000, .rowRead = 600}}};
  const Prediction prediction = predictStep(step, {1});
  EXPECT_DOUBLE_EQ(prediction.kernels[0].times[0].l2, (6600 + 40 * 600) / 600.);
  EXPECT_DOUBLE_EQ(prediction.kernels[1].times[0].l2, 6600 / 600.);
}

// What binds a step's kernels adds up to the step.
TEST(Predictor, BoundsAreOfTheWholeStep) {
  PredictedStep step;
  step.kernels = {copies("k0"), products("k1")};
  step.launches = {{0, 40, {.rows = 1, .fixedBytes = 100'000'000}}, {1, 1, {.rows = 1, .fixedBytes = 64}}};
  const Prediction prediction = predictStep(step, {1000});
  EXPECT_THAT(prediction.bounds[0], ElementsAre(testing::Key("launch"), testing::Key("memory")));
  EXPECT_DOUBLE_EQ(prediction.bounds[0].at("launch") + prediction.bounds[0].at("memory"), prediction.microseconds[0]);
}

// Kernels come in the order of their first launches, with the sums of all of theirs; one that is not launched is left
// out.
TEST(Predictor, LaunchesOfAKernelAreOneLine) {
  PredictedStep step;
  step.kernels = {copies("idle"), copies("k1"), products("k2")};
  const LaunchWork small = {.rows = 1, .fixedBytes = 4096};
  step.launches = {{2, 8, small}, {1, 8, small}, {2, 8, small}};
  const Prediction prediction = predictStep(step, {1590, 800});
  ASSERT_EQ(prediction.kernels.size(), 2u);
  EXPECT_EQ(prediction.kernels[0].name, "k2");
  EXPECT_EQ(prediction.kernels[0].launches, 2u);
  EXPECT_EQ(prediction.kernels[0].bytes, 2 * 4096);
  EXPECT_EQ(prediction.kernels[1].name, "k1");
  for (size_t i = 0; i < 2; ++i)
    EXPECT_DOUBLE_EQ(prediction.microseconds[i],
                     prediction.kernels[0].times[i].total() + prediction.kernels[1].times[i].total());
  EXPECT_DOUBLE_EQ(prediction.kernels[0].times[0].memory, prediction.kernels[0].times[1].memory);
  EXPECT_LT(prediction.kernels[0].times[0].issue, prediction.kernels[0].times[1].issue);
}

// A clock is a column; nothing else of the prediction depends on it.
TEST(Predictor, WithoutClocksThereAreNoTimes) {
  PredictedStep step;
  step.kernels = {copies("k0")};
  step.launches = {{0, 1, {.rows = 1, .fixedBytes = 1}}};
  const Prediction prediction = predictStep(step, {});
  EXPECT_TRUE(prediction.microseconds.empty());
  EXPECT_TRUE(prediction.kernels[0].times.empty());
}

} // namespace
} // namespace llcuda::codegen
