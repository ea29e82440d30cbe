// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/sentence_modules.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/compiler/ingest/temporary_file.h"

namespace llcuda::models {
namespace {

using testing::HasSubstr;
using Json = nlohmann::json;

Json module(const char* type, const char* path) {
  return {{"idx", 0}, {"name", "0"}, {"path", path}, {"type", type}};
}
const Json kTransformer = module("sentence_transformers.models.Transformer", "");
const Json kPooling = module("sentence_transformers.models.Pooling", "1_Pooling");
const Json kNormalize = module("sentence_transformers.models.Normalize", "2_Normalize");

Result<Pooling> read(const Json& modules, const Json& pooling) {
  const ingest::TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() + "/1_Pooling");
  folder.write("modules.json", modules.dump()).write("1_Pooling/config.json", pooling.dump());
  const Result<SentenceModules> result = readSentenceModules(folder.path());
  return result ? Result<Pooling>(result->pooling) : result.error();
}

Pooling pooled(const Json& pooling) {
  const Result<Pooling> result = read({kTransformer, kPooling, kNormalize}, pooling);
  EXPECT_TRUE(result) << result.error().message;
  return result ? *result : Pooling::kUnset;
}

std::string refusal(const Json& modules, const Json& pooling, ErrorCode code) {
  const Result<Pooling> result = read(modules, pooling);
  EXPECT_FALSE(result);
  if (result)
    return "";
  EXPECT_EQ(result.error().code, code);
  return result.error().message;
}

TEST(SentenceModules, PoolingByFlagOrName) {
  EXPECT_EQ(pooled({{"word_embedding_dimension", 64}, {"pooling_mode_cls_token", true}}), Pooling::kCls);
  EXPECT_EQ(pooled({{"pooling_mode_cls_token", false}, {"pooling_mode_mean_tokens", true}}), Pooling::kMean);
  EXPECT_EQ(pooled({{"pooling_mode_lasttoken", true}, {"include_prompt", true}}), Pooling::kLast);
  EXPECT_EQ(pooled({{"pooling_mode", "mean"}}), Pooling::kMean);
  EXPECT_EQ(pooled({{"pooling_mode", Json::array({"lasttoken"})}}), Pooling::kLast);
}

// Later versions keep their classes in other Python modules.
TEST(SentenceModules, ClassesWhereverTheyLie) {
  const Json pooling = module("sentence_transformers.sentence_transformer.modules.pooling.Pooling", "1_Pooling");
  const Result<Pooling> result = read({kTransformer, pooling}, {{"pooling_mode", "cls"}});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(*result, Pooling::kCls);
}

TEST(SentenceModules, FoldersWithoutThemSayNothing) {
  const ingest::TemporaryFolder folder;
  EXPECT_EQ(readSentenceModules(folder.path()).value().pooling, Pooling::kUnset);
}

// What ranks texts by the logits of two tokens is a model that generates.
TEST(SentenceModules, ScoresOfLogitsPoolNothing) {
  const Json score = module("sentence_transformers.cross_encoder.modules.logit_score.LogitScore", "1_LogitScore");
  EXPECT_EQ(read({kTransformer, score}, Json::object()).value(), Pooling::kUnset);
}

TEST(SentenceModules, RefusesByName) {
  const Json mean = {{"pooling_mode_mean_tokens", true}};
  EXPECT_THAT(refusal({kTransformer, kPooling, module("a.WeightedLayerPooling", "2_W")}, mean, ErrorCode::kUnsupported),
              HasSubstr("the module 'a.WeightedLayerPooling' at '2_W' is not supported"));
  EXPECT_THAT(refusal({kTransformer, module("a.Dense", "2_Dense"), kPooling}, mean, ErrorCode::kUnsupported),
              HasSubstr("the module 'a.Dense' at '2_Dense' is not supported"));
  EXPECT_THAT(refusal({kTransformer, kPooling, kPooling}, mean, ErrorCode::kUnsupported), HasSubstr("1_Pooling"));
  EXPECT_THAT(refusal(Json::array({module("a.Transformer", "0_Transformer")}), mean, ErrorCode::kUnsupported),
              HasSubstr("'a.Transformer' at '0_Transformer'"));
  EXPECT_THAT(refusal(Json::array({kPooling}), {{"pooling_mode_max_tokens", true}}, ErrorCode::kUnsupported),
              HasSubstr("pools by 'pooling_mode_max_tokens'; mean, cls and lasttoken are supported"));
  EXPECT_THAT(
      refusal(Json::array({kPooling}), {{"pooling_mode", Json::array({"cls", "mean"})}}, ErrorCode::kUnsupported),
      HasSubstr("pools by 'cls' and 'mean' together"));
}

/// The linears of a folder whose module 2_Dense has the configuration.
Result<SentenceModules> withDense(const Json& dense) {
  const ingest::TemporaryFolder folder;
  for (const char* place : {"/1_Pooling", "/2_Dense"}) std::filesystem::create_directory(folder.path() + place);
  folder.write("modules.json", Json({kTransformer, kPooling, module("a.Dense", "2_Dense"), kNormalize}).dump())
      .write("1_Pooling/config.json", R"({"pooling_mode": "mean"})")
      .write("2_Dense/config.json", dense.dump());
  return readSentenceModules(folder.path());
}

TEST(SentenceModules, Linears) {
  const Json dense = {{"in_features", 768},
                      {"out_features", 3072},
                      {"bias", false},
                      {"activation_function", "torch.nn.modules.linear.Identity"}};
  const Result<SentenceModules> modules = withDense(dense);
  ASSERT_TRUE(modules) << modules.error().message;
  ASSERT_EQ(modules->linears.size(), 1u);
  EXPECT_EQ(modules->linears[0].inputs, 768u);
  EXPECT_EQ(modules->linears[0].outputs, 3072u);
  EXPECT_THAT(modules->linears[0].folder, testing::EndsWith("2_Dense"));

  Json other = dense;
  other["activation_function"] = "torch.nn.modules.activation.Tanh";
  EXPECT_EQ(withDense(other).error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(withDense(other).error().message, HasSubstr("2_Dense/config.json: the activation_function"));
  for (const Json& count : {Json(0), Json(-1), Json("768"), Json(1u << 30), Json()}) {
    other = dense;
    other["out_features"] = count;
    EXPECT_EQ(withDense(other).error().code, ErrorCode::kBadInput);
    EXPECT_THAT(withDense(other).error().message, HasSubstr("2_Dense/config.json: out_features is no number"));
  }
}

TEST(SentenceModules, DamagedFiles) {
  const Json mean = {{"pooling_mode_mean_tokens", true}};
  EXPECT_THAT(refusal(Json::array({kPooling}), {{"pooling_mode_mean_tokens", false}}, ErrorCode::kBadInput),
              HasSubstr("1_Pooling/config.json: names no pooling_mode"));
  EXPECT_THAT(refusal(Json::array({kPooling}), {{"pooling_mode", 3}}, ErrorCode::kBadInput),
              HasSubstr("neither a name nor a list"));
  EXPECT_THAT(refusal(Json::array({kPooling}), Json::array(), ErrorCode::kBadInput), HasSubstr("is not a JSON object"));
  EXPECT_THAT(refusal(mean, mean, ErrorCode::kBadInput), HasSubstr("is not a list of modules"));
  for (const char* path : {"", "..", "a/../../b", "/etc", "a\\b"})
    EXPECT_THAT(refusal(Json::array({module("a.Pooling", path)}), mean, ErrorCode::kBadInput),
                HasSubstr("is no folder in"));
}

} // namespace
} // namespace llcuda::models
