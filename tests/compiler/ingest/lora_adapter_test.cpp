// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/lora_adapter.h"

#include <cmath>
#include <filesystem>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/ingest/adapter_beside.h"
#include "compiler/ingest/input_files.h"
#include "compiler/models/hf_modules.h"
#include "tests/compiler/ingest/safetensors_builder.h"

namespace llcuda::ingest {
namespace {

using testing::HasSubstr;

const std::string kQuery = "base_model.model.model.layers.0.self_attn.q_proj";
constexpr std::string_view kConfig = R"({"peft_type": "LORA", "r": 2, "lora_alpha": 8})";

/// A folder with a sound adapter of one linear layer, parts of which a test replaces.
class LoraAdapterTest : public testing::Test {
protected:
  LoraAdapterTest() {
    folder.write("adapter_config.json", kConfig);
    writeTensors(matrices());
  }

  static SafetensorsBuilder matrices() {
    SafetensorsBuilder builder;
    builder.floats(kQuery + ".lora_A.weight", {2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
    builder.floats(kQuery + ".lora_B.weight", {3, 2}, {1, 2, 3, 4, 5, 6});
    return builder;
  }
  void writeTensors(const SafetensorsBuilder& tensors) const {
    folder.write("adapter_model.safetensors", tensors.bytes());
  }
  Result<LoraAdapter> open() const { return LoraAdapter::open(folder.path(), {models::kLlamaModules}); }
  void expectError(ErrorCode code, const std::string& text) const {
    const auto adapter = open();
    ASSERT_FALSE(adapter) << text;
    EXPECT_EQ(adapter.error().code, code) << adapter.error().message;
    EXPECT_THAT(adapter.error().message, HasSubstr(text));
    EXPECT_THAT(adapter.error().message, HasSubstr(folder.path()));
  }
  /// With `"key": value` in the configuration.
  void expectConfigError(const std::string& entry, ErrorCode code, const std::string& text) const {
    folder.write("adapter_config.json", R"({"peft_type": "LORA", "r": 2, )" + entry + "}");
    expectError(code, text);
  }

  TemporaryFolder folder;
};

TEST_F(LoraAdapterTest, ListsProducts) {
  const auto adapter = open();
  ASSERT_TRUE(adapter) << adapter.error().message;
  ASSERT_EQ(adapter->products().size(), 1u);
  const LoraProduct& product = adapter->products()[0];
  EXPECT_EQ(product.tensor, "blk.0.attn_q.weight");
  EXPECT_EQ(product.scale, 4);
  EXPECT_THAT(product.left.values(), testing::ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(product.right.values(), testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

TEST_F(LoraAdapterTest, EmbeddingsAreTransposed) {
  SafetensorsBuilder builder;
  builder.floats("base_model.model.model.embed_tokens.lora_embedding_A", {2, 3}, {1, 2, 3, 4, 5, 6});
  builder.floats("base_model.model.model.embed_tokens.lora_embedding_B", {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  writeTensors(builder);
  const auto adapter = open();
  ASSERT_TRUE(adapter) << adapter.error().message;
  const LoraProduct& product = adapter->products().at(0);
  EXPECT_EQ(product.tensor, "token_embd.weight");
  EXPECT_EQ(product.left.rows, 3u);
  EXPECT_THAT(product.left.values(), testing::ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(product.right.values(), testing::ElementsAre(1, 3, 5, 7, 2, 4, 6, 8));
}

TEST_F(LoraAdapterTest, ScalesOfModules) {
  folder.write("adapter_config.json", R"({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "use_rslora": true,
      "rank_pattern": {"layers.0.self_attn.q_proj": 16}, "alpha_pattern": {"q_proj": 2}})");
  const LoraConfig config = readLoraConfig(folder.path() + "/adapter_config.json").value();
  EXPECT_EQ(config.rankOf("model.layers.0.self_attn.q_proj"), 16u);
  EXPECT_EQ(config.rankOf("model.layers.10.self_attn.q_proj"), 4u);
  EXPECT_EQ(config.scaleOf("model.layers.0.self_attn.q_proj"), 0.5);
  EXPECT_EQ(config.scaleOf("model.layers.1.self_attn.q_proj"), 1);
  EXPECT_EQ(config.scaleOf("model.layers.1.self_attn.seq_proj"), 4);
}

// PEFT writes what was trained as a whole twice, and beside it what it was before.
TEST_F(LoraAdapterTest, ModulesUnderTwoNames) {
  const std::string head = "base_model.model.lm_head";
  const auto with = [&](float second) {
    return SafetensorsBuilder()
        .floats(head + ".weight", {2, 1}, {1, 2})
        .floats(head + ".modules_to_save.weight", {2, 1}, {1, second})
        .floats(head + ".original_module.weight", {2, 1}, {5, 6});
  };
  writeTensors(with(2));
  const auto adapter = open();
  ASSERT_TRUE(adapter) << adapter.error().message;
  ASSERT_EQ(adapter->copies().size(), 1u);
  EXPECT_EQ(adapter->copies()[0].tensor, "output.weight");
  EXPECT_THAT((LoraMatrix{2, 1, false, adapter->copies()[0].stored}.values()), testing::ElementsAre(1, 2));
  writeTensors(with(3));
  expectError(ErrorCode::kBadInput, "comes twice under two names, with other values");
}

TEST_F(LoraAdapterTest, Magnitudes) {
  folder.write("adapter_config.json", R"({"peft_type": "LORA", "r": 2, "use_dora": true})");
  writeTensors(matrices().floats(kQuery + ".lora_magnitude_vector", {3}, {1, 2, 3}));
  const auto adapter = open();
  ASSERT_TRUE(adapter) << adapter.error().message;
  EXPECT_TRUE(adapter->products().at(0).magnitude);
  using enum ErrorCode;
  writeTensors(matrices());
  expectError(kBadInput, "has no lora_magnitude_vector, and adapter_config.json says use_dora");
  writeTensors(matrices().floats(kQuery + ".lora_magnitude_vector", {4}, {1, 2, 3, 4}));
  expectError(kBadInput, "' is no vector of 3 elements");
  const std::string embeddings = "base_model.model.model.embed_tokens";
  writeTensors(SafetensorsBuilder()
                   .floats(embeddings + ".lora_embedding_A", {2, 1}, {1, 2})
                   .floats(embeddings + ".lora_embedding_B", {1, 2}, {1, 2})
                   .floats(embeddings + ".lora_magnitude_vector", {1}, {1}));
  expectError(kUnsupported, "this version reads DoRA of linears");
  folder.write("adapter_config.json", kConfig);
  writeTensors(matrices().floats(kQuery + ".lora_magnitude_vector", {3}, {1, 2, 3}));
  expectError(kBadInput, "is of DoRA, and adapter_config.json does not say use_dora");
}

TEST_F(LoraAdapterTest, BiasesOfProducts) {
  folder.write("adapter_config.json", R"({"peft_type": "LORA", "r": 2, "lora_alpha": 8, "lora_bias": true})");
  writeTensors(matrices().floats(kQuery + ".lora_B.bias", {3}, {1, 2, 3}));
  const auto adapter = open();
  ASSERT_TRUE(adapter) << adapter.error().message;
  ASSERT_EQ(adapter->biases().size(), 1u);
  EXPECT_EQ(adapter->biases()[0].tensor, "blk.0.attn_q.bias");
  EXPECT_EQ(adapter->biases()[0].scale, 4);
  writeTensors(matrices().floats(kQuery + ".lora_B.bias", {2}, {1, 2}));
  expectError(ErrorCode::kBadInput, "lora_B.bias' is no vector with an element for each row of lora_B");
  folder.write("adapter_config.json", kConfig);
  expectError(ErrorCode::kBadInput, "is a bias, and adapter_config.json does not say lora_bias");
}

TEST_F(LoraAdapterTest, TrainedTokens) {
  const std::string rows = "base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta";
  const auto config = [&](const std::string& indices) {
    folder.write("adapter_config.json", R"({"peft_type": "LORA", "r": 2, "trainable_token_indices": )" + indices + "}");
  };
  writeTensors(SafetensorsBuilder().floats(rows, {2, 1}, {1, 2}));
  for (const char* indices : {"[7, 3]", R"({"embed_tokens": [7, 3]})"}) {
    config(indices);
    const auto adapter = open();
    ASSERT_TRUE(adapter) << adapter.error().message;
    ASSERT_EQ(adapter->tokens().size(), 1u);
    EXPECT_EQ(adapter->tokens()[0].tensor, "token_embd.weight");
    EXPECT_THAT(adapter->tokens()[0].tokens, testing::ElementsAre(7, 3));
  }
  using enum ErrorCode;
  config("[7]");
  expectError(kBadInput, "is no matrix of 1 rows, one for each of trainable_token_indices");
  config(R"({"lm_head": [7, 3]})");
  expectError(kBadInput, "names no trainable_token_indices of its module");
  config("[7, 7]");
  expectError(kBadInput, "'trainable_token_indices' has the token 7 twice");
  config("[7, -1]");
  expectError(kBadInput, "'trainable_token_indices' has '-1', which is not a token");
  config("4");
  expectError(kBadInput, "'trainable_token_indices' is '4', not a list of tokens");
}

TEST_F(LoraAdapterTest, RefusesOtherMethods) {
  using enum ErrorCode;
  expectConfigError(R"("alora_invocation_tokens": [1, 2])", kUnsupported, "'alora_invocation_tokens' is '[1,2]'");
  expectConfigError(R"("target_parameters": ["experts"])", kUnsupported, "'target_parameters'");
  expectConfigError(R"("layer_replication": [[0, 1]])", kUnsupported, "'layer_replication'");
  expectConfigError(R"("use_something_new": 1)", kUnsupported, "'use_something_new'");
  expectConfigError(R"("init_lora_weights": "pissa")", kUnsupported, "init_lora_weights is \"pissa\"");
  expectConfigError(R"("rank_pattern": {".*q_proj": 2})", kUnsupported, "the regular expression '.*q_proj'");
  folder.write("adapter_config.json", R"({"peft_type": "IA3"})");
  expectError(kUnsupported, "peft_type is \"IA3\"");
  folder.write("adapter_config.json", "{}");
  expectError(kUnsupported, "peft_type is absent");
}

TEST_F(LoraAdapterTest, ConfigurationsThatAreWrong) {
  using enum ErrorCode;
  expectConfigError(R"("lora_alpha": "8")", kBadInput, "'lora_alpha' is '\"8\"', not a number");
  expectConfigError(R"("lora_alpha": 1e300)", kBadInput, "'lora_alpha'");
  expectConfigError(R"("use_rslora": 3)", kBadInput, "'use_rslora' is '3', not true or false");
  expectConfigError(R"("rank_pattern": {"q_proj": 0})", kBadInput, "'q_proj' is '0', not a number from 1");
  folder.write("adapter_config.json", R"({"peft_type": "LORA", "r": 0})");
  expectError(kBadInput, "'r' is '0'");
  folder.write("adapter_config.json", "[]");
  expectError(kBadInput, "is not a JSON object");
}

TEST_F(LoraAdapterTest, FilesThatAreWrong) {
  using enum ErrorCode;
  writeTensors(matrices().floats(kQuery + ".lora_scaler", {3}, {1, 1, 1}));
  expectError(kUnsupported, "lora_scaler' is no part of LoRA or DoRA");
  writeTensors(matrices().floats("model.layers.0.mlp.up_proj.lora_A.weight", {2, 1}, {1, 1}));
  expectError(kBadInput, "does not start with base_model.model.");
  writeTensors(matrices().floats("base_model.model.model.layers.0.router.lora_A.weight", {2, 1}, {1, 1}));
  expectError(kUnsupported, "the adapter changes 'model.layers.0.router', which this version does not know");
  writeTensors(matrices().floats("base_model.model.model.layers.0.mlp.up_proj.lora_A.weight", {2, 1}, {1, 1}));
  expectError(kBadInput, "one of the two matrices of 'model.layers.0.mlp.up_proj'");
  writeTensors(SafetensorsBuilder()
                   .floats(kQuery + ".lora_A.weight", {3, 1}, {1, 2, 3})
                   .floats(kQuery + ".lora_B.weight", {1, 3}, {1, 2, 3}));
  expectError(kBadInput, "its matrices have the ranks 3 and 3, adapter_config.json says 2");
  writeTensors(SafetensorsBuilder()
                   .floats(kQuery + ".lora_A.weight", {2}, {1, 2})
                   .floats(kQuery + ".lora_B.weight", {1, 2}, {1, 2}));
  expectError(kBadInput, "lora_A.weight' is no matrix");
  writeTensors(SafetensorsBuilder()
                   .floats(kQuery + ".lora_A.weight", {2, 1}, {1, std::numeric_limits<float>::quiet_NaN()})
                   .floats(kQuery + ".lora_B.weight", {1, 2}, {1, 2}));
  expectError(kBadInput, "the value 1 is nan");
  writeTensors(SafetensorsBuilder()
                   .tensor(kQuery + ".lora_A.weight", "I8", {2, 1}, "ab")
                   .floats(kQuery + ".lora_B.weight", {1, 2}, {1, 2}));
  expectError(kUnsupported, "is I8; this version reads F32, F16 and BF16");
  writeTensors(SafetensorsBuilder());
  EXPECT_FALSE(open());
}

TEST_F(LoraAdapterTest, FoldersThatAreNoAdapters) {
  EXPECT_TRUE(isAdapterFolder(folder.path()));
  folder.write("config.json", "{}"); // of the model that it was trained on
  EXPECT_TRUE(isAdapterFolder(folder.path()));
  folder.write("model.safetensors.index.json", "{}");
  EXPECT_FALSE(isAdapterFolder(folder.path()));
  const TemporaryFolder outer;
  for (const char* name : {"mine", "yours"}) {
    std::filesystem::create_directory(outer.path() + "/" + name);
    outer.write(std::string(name) + "/adapter_config.json", kConfig);
  }
  EXPECT_FALSE(isAdapterFolder(outer.path()));
  const auto inner = LoraAdapter::open(outer.path(), {});
  ASSERT_FALSE(inner);
  EXPECT_EQ(inner.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(inner.error().message, HasSubstr("holds no adapter_config.json"));
  EXPECT_THAT(inner.error().message, HasSubstr("adapters lie in mine/ and yours/: give one of these folders"));
  const auto missing = LoraAdapter::open(folder.path() + "/nowhere", {});
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("is not a folder; an adapter is one with adapter_config.json"));
  const auto gguf = LoraAdapter::open("adapter.gguf", {});
  ASSERT_FALSE(gguf);
  EXPECT_EQ(gguf.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(gguf.error().message, HasSubstr("give the PEFT folder it was made from"));
  const TemporaryFolder pickled;
  pickled.write("adapter_config.json", kConfig).write("adapter_model.bin", "PK");
  const auto pickle = LoraAdapter::open(pickled.path(), {});
  ASSERT_FALSE(pickle);
  EXPECT_EQ(pickle.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(pickle.error().message, HasSubstr("save the adapter again with safe_serialization=True"));
}

// What was saved with the model is read with it, and is one of its files; the key never leads out of the folder.
TEST_F(LoraAdapterTest, AdaptersBesideAModel) {
  const TemporaryFolder model;
  EXPECT_EQ(adapterBeside(model.path()).value(), "");
  model.write("config.json", "{}").write("model.safetensors", "x");
  EXPECT_EQ(adapterBeside(model.path()).value(), "");
  EXPECT_EQ(inputFiles(model.path()).size(), 2u);
  std::filesystem::copy(folder.path(), model.path() + "/mine");
  model.write("config.json", R"({"_llcuda_adapter": "mine"})");
  EXPECT_EQ(adapterBeside(model.path()).value(), model.path() + "/mine");
  EXPECT_THAT(inputFiles(model.path()),
              testing::ElementsAre(model.path() + "/config.json", model.path() + "/mine/adapter_config.json",
                                   model.path() + "/mine/adapter_model.safetensors",
                                   model.path() + "/model.safetensors"));
  for (const char* wrong : {R"("../mine")", R"("/mine")", R"("mine/../..")", R"("")", "3", R"(["mine"])"}) {
    model.write("config.json", R"({"_llcuda_adapter": )" + std::string(wrong) + "}");
    const auto found = adapterBeside(model.path());
    ASSERT_FALSE(found) << wrong;
    EXPECT_EQ(found.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(found.error().message, HasSubstr("not a path within the folder"));
  }
  model.write("config.json", R"({"_llcuda_adapter": "yours"})");
  EXPECT_THAT(adapterBeside(model.path()).error().message,
              HasSubstr("_llcuda_adapter is 'yours', and no adapter lies there; copy the folder as a whole"));
}

} // namespace
} // namespace llcuda::ingest
