// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/quantized_checkpoint.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/compiler/ingest/memory_checkpoint.h"

namespace llcuda::ingest {
namespace {

using enum formats::TensorType;
using testing::ElementsAre;
using testing::HasSubstr;

std::unique_ptr<const Checkpoint> model(std::vector<float> query = scatteredValues(64 * 256)) {
  std::vector<MemoryCheckpoint::Entry> entries;
  entries.push_back(storedTensor("token_embd.weight", kF16, {256, 100}, scatteredValues(256 * 100, 2)));
  entries.push_back(storedTensor("blk.0.attn_norm.weight", kF32, {256}, scatteredValues(256, 3)));
  entries.push_back(storedTensor("blk.0.attn_q.weight", kBF16, {256, 64}, query));
  return std::make_unique<MemoryCheckpoint>(std::move(entries));
}

std::unique_ptr<QuantizedCheckpoint> quantized(const QuantizeOptions& options, unsigned threads = 1,
                                               std::unique_ptr<const Checkpoint> base = model()) {
  return QuantizedCheckpoint::create(std::move(base), 1, options, threads).value();
}

// The rows are those of the scalar codecs, whatever the number of threads; what is not quantised is what it was.
TEST(QuantizedCheckpoint, RowsAreQuantised) {
  const auto one = quantized({Quantization::kQ4_0, {}}, 1), three = quantized({Quantization::kQ4_0, {}}, 3);
  const TensorInfo& query = *one->find("blk.0.attn_q.weight");
  EXPECT_EQ(query.type, kQ4_0);
  const std::vector<float> stored = decodedTensor(*model(), "blk.0.attn_q.weight");
  std::vector<std::byte> expected(encodedBytes(query, kQ4_0));
  formats::quantizeRow(kQ4_0, stored.data(), stored.size(), expected.data());
  EXPECT_THAT(one->read(query)->bytes, testing::ElementsAreArray(expected));
  EXPECT_THAT(three->read(query)->bytes, testing::ElementsAreArray(expected));
  EXPECT_EQ(decodedTensor(*one, "blk.0.attn_norm.weight"), decodedTensor(*model(), "blk.0.attn_norm.weight"));
}

TEST(QuantizedCheckpoint, SaysWhatItDid) {
  EXPECT_THAT(quantized({Quantization::kQ4_0, {}})->notes(),
              ElementsAre("quantised to q4_0: 1 q4_0, 1 q6_k; weights 0.1 MiB -> 0.0 MiB"));
  EXPECT_THAT(quantized({Quantization::kNf4, {}})->notes(),
              ElementsAre(HasSubstr("1 nf4"), HasSubstr("the head is f16, 0.0 MiB; --head q8_0 would save")));
  EXPECT_THAT(quantized({{}, HeadEncoding::kQ8_0})->notes(),
              ElementsAre(HasSubstr("the head token_embd.weight went from 0.0 MiB to 0.0 MiB as q8_0")));
  EXPECT_THAT(quantized({{}, HeadEncoding::kKeep})->notes(), ElementsAre());
}

TEST(QuantizedCheckpoint, RefusesValuesThatAreNotNumbers) {
  std::vector<float> query = scatteredValues(64 * 256);
  query[5 * 256 + 7] = std::numeric_limits<float>::quiet_NaN();
  const auto checkpoint = quantized({Quantization::kQ8_0, {}}, 2, model(query));
  const auto read = checkpoint->read(*checkpoint->find("blk.0.attn_q.weight"));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kBadInput);
  EXPECT_EQ(read.error().message,
            "tensor blk.0.attn_q.weight: the value at row 5, column 7 is nan; weights must be finite");
}

TEST(QuantizedCheckpoint, RefusesValuesBeyondTheEncoding) {
  std::vector<float> query = scatteredValues(64 * 256);
  query[256] = 131072;
  const auto checkpoint = quantized({Quantization::kF16, {}}, 1, model(query));
  const auto read = checkpoint->read(*checkpoint->find("blk.0.attn_q.weight"));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(read.error().message, HasSubstr("the value 131072 at row 1, column 0 is too large for f16"));
  const auto asNf4 = quantized({Quantization::kNf4, {}}, 1, model(query));
  EXPECT_TRUE(asNf4->read(*asNf4->find("blk.0.attn_q.weight")));
}

TEST(QuantizedCheckpoint, HeadOfATiedModelIsTheEmbeddings) {
  EXPECT_EQ(headName(*model()), "token_embd.weight");
  EXPECT_EQ(quantized({{}, HeadEncoding::kQ6_K})->find("token_embd.weight")->type, kQ6_K);
}

} // namespace
} // namespace llcuda::ingest
