// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/model_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <variant>

#include "tests/compiler/ingest/gguf_builder.h"

namespace llcuda::models {
namespace {

using ::testing::HasSubstr;
using Values = std::map<std::string, std::variant<uint32_t, float, std::string>>;

// What a llama file must say, and nothing more.
Values required() {
  return {{"general.architecture", "llama"},   {"llama.block_count", 3u},
          {"llama.context_length", 512u},      {"llama.embedding_length", 96u},
          {"llama.feed_forward_length", 160u}, {"llama.attention.head_count", 4u},
          {"llama.vocab_size", 100u},          {"llama.attention.layer_norm_rms_epsilon", 1e-5f}};
}

Result<ModelConfig> configOf(const Values& values) {
  ingest::GgufBuilder builder(0, static_cast<int64_t>(values.size()));
  for (const auto& [key, value] : values) {
    if (const auto* number = std::get_if<uint32_t>(&value))
      builder.u32(key, *number);
    else if (const auto* real = std::get_if<float>(&value))
      builder.key(key, ingest::GgufType::kF32).number(*real);
    else
      builder.string(key, std::get<std::string>(value));
  }
  const ingest::TemporaryFile file(builder.bytes);
  LLCUDA_ASSIGN_OR_RETURN(const ingest::GgufFile opened, ingest::GgufFile::open(file.path()));
  return configFromGguf(opened);
}

void expectError(const Values& values, ErrorCode code, const std::string& text) {
  const Result<ModelConfig> config = configOf(values);
  ASSERT_FALSE(config.ok()) << text;
  EXPECT_EQ(config.error().code, code);
  EXPECT_THAT(config.error().message, HasSubstr(text));
}

Values with(const std::string& key, std::variant<uint32_t, float, std::string> value) {
  Values values = required();
  values[key] = std::move(value);
  return values;
}

TEST(ModelConfig, DefaultsAreLlamaCpps) {
  const Result<ModelConfig> config = configOf(required());
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->layers, 3u);
  EXPECT_EQ(config->kvHeads, 4u);
  EXPECT_EQ(config->headSize, 24u);
  EXPECT_EQ(config->rope.dimensions, 24u);
  EXPECT_EQ(config->rope.base, 10000);
  EXPECT_EQ(config->rope.factor, 1);
}

TEST(ModelConfig, EveryRequiredKeyIsMissedByName) {
  for (const auto& [key, value] : required()) {
    Values values = required();
    values.erase(key);
    expectError(values, ErrorCode::kBadInput, key == "llama.vocab_size" ? "vocab_size" : key);
  }
}

TEST(ModelConfig, LinearScalingAndItsOldName) {
  EXPECT_EQ(configOf(with("llama.rope.scaling.factor", 4.f))->rope.factor, 4);
  EXPECT_EQ(configOf(with("llama.rope.scale_linear", 2.f))->rope.factor, 2);
  Values none = with("llama.rope.scaling.factor", 4.f);
  none["llama.rope.scaling.type"] = "none";
  EXPECT_EQ(configOf(none)->rope.factor, 1);
}

TEST(ModelConfig, NumbersOutsideTheirBounds) {
  expectError(with("llama.block_count", 513u), ErrorCode::kBadInput, "block_count is 513, outside 1 to 512");
  expectError(with("llama.attention.head_count", 0u), ErrorCode::kBadInput, "head_count is 0");
  expectError(with("llama.attention.head_count_kv", 3u), ErrorCode::kBadInput, "4 heads cannot share 3 kv heads");
  expectError(with("llama.attention.head_count", 5u), ErrorCode::kBadInput, "cannot be split into 5 heads");
  expectError(with("llama.rope.dimension_count", 26u), ErrorCode::kBadInput, "rope.dimension_count is 26");
  expectError(with("llama.rope.freq_base", 0.f), ErrorCode::kBadInput, "freq_base");
  expectError(with("llama.attention.layer_norm_rms_epsilon", 0.f), ErrorCode::kBadInput, "epsilon");
  expectError(with("llama.context_length", "many"), ErrorCode::kBadInput, "context_length is not a whole number");
}

TEST(ModelConfig, WhatIsNotSupportedIsNamed) {
  expectError(with("general.architecture", "mamba"), ErrorCode::kUnsupported, "\"mamba\"");
  expectError(with("llama.rope.scaling.type", "yarn"), ErrorCode::kUnsupported, "\"yarn\"");
  expectError(with("llama.expert_count", 8u), ErrorCode::kUnsupported, "8 experts");
  expectError(with("llama.attention.value_length", 32u), ErrorCode::kUnsupported, "equal head sizes");
}

} // namespace
} // namespace llcuda::models
