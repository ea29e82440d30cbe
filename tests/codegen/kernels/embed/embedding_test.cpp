// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/embed/embedding.cuh"

#include <gtest/gtest.h>

#include "codegen/reference/embedding.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"

namespace llcuda {
namespace {

using namespace testing;

constexpr int kColumns = 96, kVocabulary = 9;

// Rows of every layout are tested in tests/codegen/kernels/linear/encodings_test.cpp.
TEST(Embedding, Scale) {
  const TestWeight weight(WeightLayout::kF32Rows, kVocabulary, kColumns, 2);
  const int token = 5;
  std::vector<float> y(kColumns), wanted(kColumns);
  hostsim::launch({.grid = {1, 1, 1}, .block = 64}, [&] {
    embedding<EmbeddingShape{
        .layout = WeightLayout::kF32Rows, .vocabulary = kVocabulary, .columns = kColumns, .threads = 64}>(
        weight.blob.data(), &token, y.data(), 2.5f);
  });
  reference::embedding(weight.values.data(), &token, 2.5, 1, kColumns, wanted.data());
  EXPECT_EQ(y, wanted);
}

// The token of a padding row may be anything: no read outside the table, which hostsim would report.
TEST(Embedding, TokensOutsideTheVocabularyAreZeros) {
  const TestWeight weight(WeightLayout::kQ4_1Planes, kVocabulary, kColumns, 3);
  const std::vector<int> tokens = {-1, kVocabulary, 0x7fffffff};
  std::vector<float> y(tokens.size() * kColumns, 5.f);
  hostsim::launch({.grid = {3, 1, 1}, .block = 32}, [&] {
    embedding<EmbeddingShape{
        .layout = WeightLayout::kQ4_1Planes, .vocabulary = kVocabulary, .columns = kColumns, .threads = 32}>(
        weight.blob.data(), tokens.data(), y.data(), 1.f);
  });
  EXPECT_EQ(y, std::vector<float>(y.size(), 0.f));
}

} // namespace
} // namespace llcuda
