// SPDX-License-Identifier: Apache-2.0
// Files of models that rank texts, as llama.cpp's converter writes them.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/models/open_model.h"
#include "tests/compiler/ingest/gguf_builder.h"

namespace llcuda::models {
namespace {

using ingest::GgufBuilder;
using ingest::GgufType;
using testing::HasSubstr;

constexpr size_t kWidth = 4;
using Row = std::array<float, kWidth>;
constexpr Row kYes = {1, 2, 3, 4}, kNo = {4, -3, 2, 1}, kOther = {-2, 1, 0, 0};

struct File {
  std::vector<std::string> labels = {"yes", "no"}, tokens = {"a", "yes", "no"};
  std::vector<Row> embeddings = {kOther, kYes, kNo}, head = {}, rank = {kYes, kNo};
};

std::string bytesOf(const File& file) {
  const bool hasHead = !file.head.empty();
  GgufBuilder builder(hasHead ? 3 : 2, 12);
  builder.string("general.architecture", "qwen3");
  for (const auto& [key, value] : {std::pair{"block_count", 1u},
                                   {"context_length", 64u},
                                   {"embedding_length", 4u},
                                   {"feed_forward_length", 4u},
                                   {"attention.head_count", 1u},
                                   {"pooling_type", 4u}})
    builder.u32(std::string("qwen3.") + key, value);
  builder.u32("qwen3.attention.key_length", 4);
  builder.key("qwen3.attention.layer_norm_rms_epsilon", GgufType::kF32).number(1e-6f);
  builder.string("tokenizer.ggml.model", "no_vocab");
  builder.array("tokenizer.ggml.tokens", GgufType::kString, file.tokens.size());
  for (const std::string& token : file.tokens) builder.text(token);
  builder.array("qwen3.classifier.output_labels", GgufType::kString, file.labels.size());
  for (const std::string& label : file.labels) builder.text(label);

  std::string data;
  const auto add = [&](const char* name, const std::vector<Row>& rows) {
    builder.tensor(name, {static_cast<int64_t>(kWidth), static_cast<int64_t>(rows.size())}, 0, data.size());
    data.append(reinterpret_cast<const char*>(rows.data()), rows.size() * sizeof(Row));
    data.resize((data.size() + 31) / 32 * 32);
  };
  add("token_embd.weight", file.embeddings);
  add("cls.output.weight", file.rank);
  if (hasHead)
    add("output.weight", file.head);
  return builder.pad().raw(data).bytes;
}

Result<OpenedModel> open(const File& file) {
  const ingest::TemporaryFile written(bytesOf(file));
  return openModel(written.path());
}

std::string refusal(const File& file) {
  const Result<OpenedModel> model = open(file);
  EXPECT_FALSE(model);
  if (model)
    return "";
  EXPECT_EQ(model.error().code, ErrorCode::kUnsupported);
  return model.error().message;
}

TEST(RankHead, IsLeftOutWhereTheEmbeddingsAreTheHead) {
  const Result<OpenedModel> model = open({});
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_FALSE(model->checkpoint->find("cls.output.weight"));
  EXPECT_TRUE(model->checkpoint->find("token_embd.weight"));
  EXPECT_THAT(model->notes, testing::Contains(HasSubstr("cls.output.weight is left out")));
}

TEST(RankHead, IsLeftOutBesideAHeadOfItsOwn) {
  const Result<OpenedModel> model =
      open({.embeddings = {kOther, kOther, kOther}, .head = {kOther, {1.1f, 2, 2.9f, 4}, kNo}});
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_FALSE(model->checkpoint->find("cls.output.weight"));
}

// The head of a model that does not tie it is not in such a file.
TEST(RankHead, OfAHeadThatTheFileLacks) {
  EXPECT_THAT(refusal({.embeddings = {kOther, kYes, kYes}}), HasSubstr("is of a head that the file lacks"));
  EXPECT_THAT(refusal({.rank = {kNo, kYes}}), HasSubstr("is of a head that the file lacks"));
}

TEST(RankHead, RefusesByName) {
  EXPECT_THAT(refusal({.labels = {"relevant"}}), HasSubstr("qwen3.classifier.output_labels of yes and no"));
  EXPECT_THAT(refusal({.labels = {}}), HasSubstr("cls.output.weight"));
  EXPECT_THAT(refusal({.tokens = {"a", "yes", "nope"}}), HasSubstr("by the token no, which it does not have"));
  EXPECT_THAT(refusal({.rank = {kYes}}), HasSubstr("has no row 0"));
  EXPECT_THAT(refusal({.tokens = {"a", "b", "c", "d", "yes", "no"}}), HasSubstr("has no row 4"));
}

} // namespace
} // namespace llcuda::models
