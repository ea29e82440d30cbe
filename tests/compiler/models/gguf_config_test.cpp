// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/gguf_config.h"

#include <cmath>
#include <cstring>
#include <map>
#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/models/family_list.h"
#include "tests/compiler/ingest/gguf_builder.h"

namespace llcuda::models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Values =
    std::map<std::string, std::variant<uint32_t, float, bool, std::string, std::vector<bool>, std::vector<uint32_t>>>;

// Tensors of f32 vectors, which a configuration may read.
class Vectors final : public ingest::Checkpoint {
public:
  explicit Vectors(std::map<std::string, std::vector<float>> vectors) : vectors(std::move(vectors)) {
    std::vector<ingest::TensorInfo> tensors;
    for (const auto& [name, values] : this->vectors)
      tensors.push_back({name, formats::TensorType::kF32, {values.size()}});
    setTensors(std::move(tensors));
  }
  Result<ingest::TensorBytes> read(const ingest::TensorInfo& tensor) const override {
    return ingest::TensorBytes{tensor.type, std::as_bytes(std::span(vectors.at(tensor.name)))};
  }

private:
  const std::map<std::string, std::vector<float>> vectors;
};

// What a llama file must say, and nothing more.
Values required() {
  return {{"general.architecture", "llama"},   {"llama.block_count", 3u},
          {"llama.context_length", 512u},      {"llama.embedding_length", 96u},
          {"llama.feed_forward_length", 160u}, {"llama.attention.head_count", 4u},
          {"llama.vocab_size", 100u},          {"llama.attention.layer_norm_rms_epsilon", 1e-5f}};
}

// The same for another architecture.
Values required(const std::string& architecture) {
  Values values;
  for (const auto& [key, value] : required())
    values[key.starts_with("llama.") ? architecture + key.substr(5) : key] = value;
  values["general.architecture"] = architecture;
  return values;
}

void write(ingest::GgufBuilder& builder, const std::string& key, const Values::mapped_type& value) {
  if (const auto* number = std::get_if<uint32_t>(&value))
    builder.u32(key, *number);
  else if (const auto* real = std::get_if<float>(&value))
    builder.key(key, ingest::GgufType::kF32).number(*real);
  else if (const auto* flag = std::get_if<bool>(&value))
    builder.key(key, ingest::GgufType::kBool).number<uint8_t>(*flag);
  else if (const auto* text = std::get_if<std::string>(&value))
    builder.string(key, *text);
  else if (const auto* numbers = std::get_if<std::vector<uint32_t>>(&value)) {
    builder.array(key, ingest::GgufType::kU32, numbers->size());
    for (const uint32_t element : *numbers) builder.number(element);
  } else {
    const auto& flags = std::get<std::vector<bool>>(value);
    builder.array(key, ingest::GgufType::kBool, flags.size());
    for (const bool element : flags) builder.number<uint8_t>(element);
  }
}

Result<ModelConfig> configOf(const Values& values, std::map<std::string, std::vector<float>> vectors = {}) {
  ingest::GgufBuilder builder(0, static_cast<int64_t>(values.size()));
  for (const auto& [key, value] : values) write(builder, key, value);
  const ingest::TemporaryFile file(builder.bytes);
  LLCUDA_ASSIGN_OR_RETURN(const ingest::GgufFile opened, ingest::GgufFile::open(file.path()));
  return configFromGguf(opened, Vectors(std::move(vectors)));
}

ModelConfig valid(const Values& values, std::map<std::string, std::vector<float>> vectors = {}) {
  Result<ModelConfig> config = configOf(values, std::move(vectors));
  EXPECT_TRUE(config.ok()) << config.error().message;
  return config.ok() ? *config : ModelConfig();
}

void expectError(const Values& values, ErrorCode code, const std::string& text,
                 std::map<std::string, std::vector<float>> vectors = {}) {
  const Result<ModelConfig> config = configOf(values, std::move(vectors));
  ASSERT_FALSE(config.ok()) << text;
  EXPECT_EQ(config.error().code, code);
  EXPECT_THAT(config.error().message, HasSubstr(text));
}

Values with(Values values, const std::string& key, Values::mapped_type value) {
  values[key] = std::move(value);
  return values;
}

Values with(const std::string& key, Values::mapped_type value) {
  return with(required(), key, std::move(value));
}

constexpr uint32_t kNoRope = LayerConfig::kNoRope;

std::vector<uint32_t> windowsOf(const ModelConfig& config) {
  std::vector<uint32_t> windows;
  for (const LayerConfig& layer : config.layers) windows.push_back(layer.window);
  return windows;
}

std::vector<uint32_t> ropesOf(const ModelConfig& config) {
  std::vector<uint32_t> ropes;
  for (const LayerConfig& layer : config.layers) ropes.push_back(layer.rope);
  return ropes;
}

TEST(GgufConfig, DefaultsAreLlamaCpps) {
  const Result<ModelConfig> config = configOf(required());
  ASSERT_TRUE(config.ok()) << config.error().message;
  ASSERT_EQ(config->layers.size(), 3u);
  EXPECT_EQ(config->layers[0].kvHeads, 4u);
  EXPECT_EQ(config->layers[0].headSize, 24u);
  EXPECT_EQ(config->layers[0].window, 0u);
  ASSERT_EQ(config->ropes.size(), 1u);
  EXPECT_EQ(config->ropes[0].dimensions, 24u);
  EXPECT_EQ(config->ropes[0].base, 10000);
  EXPECT_EQ(config->ropes[0].factor, 1);
}

TEST(GgufConfig, EveryRequiredKeyIsMissedByName) {
  for (const auto& [key, value] : required()) {
    Values values = required();
    values.erase(key);
    expectError(values, ErrorCode::kBadInput, key == "llama.vocab_size" ? "vocab_size" : key);
  }
}

// A file of weights that nobody reads: `shapes` is all there is.
class Shapes final : public ingest::Checkpoint {
public:
  explicit Shapes(std::vector<ingest::TensorInfo> shapes) { setTensors(std::move(shapes)); }
  Result<ingest::TensorBytes> read(const ingest::TensorInfo&) const override { return internalError("no data"); }
};

// A vocabulary was extended and the number was not.
TEST(GgufConfig, TheEmbeddingSaysHowLargeTheVocabularyIs) {
  const Values values = required();
  ingest::GgufBuilder builder(0, static_cast<int64_t>(values.size()));
  for (const auto& [key, value] : values) write(builder, key, value);
  const ingest::TemporaryFile file(builder.bytes);
  const auto opened = ingest::GgufFile::open(file.path());
  ASSERT_TRUE(opened.ok());
  const Result<ModelConfig> config =
      configFromGguf(*opened, Shapes({{"token_embd.weight", formats::TensorType::kF32, {96, 116}}}));
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->vocabulary, 116u);
  EXPECT_EQ(valid(values).vocabulary, 100u);
}

TEST(GgufConfig, TitleIsRepaired) {
  EXPECT_EQ(valid(with("general.name", "Tiny \xC3(")).name, "Tiny \uFFFD(");
}

TEST(GgufConfig, LinearScalingAndItsOldName) {
  for (const char* key : {"llama.rope.scaling.factor", "llama.rope.scale_linear"}) {
    const ModelConfig config = valid(with(key, 4.f));
    EXPECT_EQ(config.ropes[0].scaling, RopeScaling::kLinear);
    EXPECT_EQ(config.ropes[0].factor, 4);
  }
  EXPECT_EQ(valid(with(with("llama.rope.scaling.factor", 4.f), "llama.rope.scaling.type", "none")).ropes[0].scaling,
            RopeScaling::kNone);
}

// llama.cpp multiplies the formula's magnitude by attn_factor; a log multiplier of 1 cancels the formula.
TEST(GgufConfig, Yarn) {
  Values values = with("llama.rope.scaling.type", "yarn");
  values["llama.rope.scaling.factor"] = 4.f;
  values["llama.rope.scaling.original_context_length"] = 128u;
  ModelConfig config = valid(values);
  EXPECT_EQ(config.ropes[0].scaling, RopeScaling::kYarn);
  EXPECT_EQ(config.ropes[0].originalContext, 128u);
  EXPECT_NEAR(config.ropes[0].attentionFactor, 1 + 0.1 * std::log(4.0), 1e-12);
  config = valid(with(values, "llama.rope.scaling.attn_factor", 0.5f));
  EXPECT_NEAR(config.ropes[0].attentionFactor, 0.5 * (1 + 0.1 * std::log(4.0)), 1e-12);
  config = valid(with(values, "llama.rope.scaling.yarn_log_multiplier", 1.f));
  EXPECT_NEAR(config.ropes[0].attentionFactor, 1, 1e-12);
}

TEST(GgufConfig, DivisorsOfTheRope) {
  const std::vector<float> divisors = {1, 1, 1, 1, 2, 2, 4, 4, 8, 8, 8, 8};
  EXPECT_EQ(valid(required(), {{"rope_freqs.weight", divisors}}).ropes[0].divisors,
            std::vector<double>(divisors.begin(), divisors.end()));
  expectError(required(), ErrorCode::kBadInput, "rope_freqs.weight must have an element for each of 12 pairs",
              {{"rope_freqs.weight", {1, 2}}});
  expectError(required(), ErrorCode::kBadInput,
              "tensor rope_freqs.weight holds 0 at its element 1, a divisor must be positive",
              {{"rope_freqs.weight", {1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}});
}

TEST(GgufConfig, Gemma) {
  const ModelConfig config = valid(required("gemma"));
  EXPECT_EQ(config.pairOrder, PairOrder::kHalves);
  EXPECT_EQ(config.activation, Activation::kGeluTanh);
  EXPECT_EQ(config.embeddingScale, std::sqrt(96.f));
  EXPECT_EQ(config.normPlus, 0);
}

TEST(GgufConfig, Gemma2TakesItsNumbersFromTheArchitecture) {
  ModelConfig config = valid(required("gemma2"));
  EXPECT_EQ(config.attentionSoftcap, 50);
  EXPECT_EQ(config.logitSoftcap, 30);
  EXPECT_THAT(windowsOf(config), ElementsAre(4096, 0, 4096));
  EXPECT_EQ(config.attentionScale, 0);
  Values large = with(required("gemma2"), "gemma2.block_count", 46u);
  for (const char* key : {"gemma2.attention.key_length", "gemma2.attention.value_length"}) large[key] = 32u;
  config = valid(large);
  EXPECT_EQ(config.attentionScale, 1 / std::sqrt(24.0)) << "the 27B model: embedding / heads";
}

TEST(GgufConfig, Experts) {
  Values values = with(required("qwen3moe"), "qwen3moe.expert_count", 16u);
  values["qwen3moe.expert_used_count"] = 4u;
  values["qwen3moe.expert_feed_forward_length"] = 64u;
  EXPECT_EQ(valid(values).layers[2].experts, (ExpertsConfig{16, 4, 64, true}));
  EXPECT_FALSE(valid(with(values, "qwen3moe.expert_weights_norm", false)).layers[0].experts.normalized);
  expectError(with(values, "qwen3moe.expert_used_count", 17u), ErrorCode::kBadInput,
              "qwen3moe.expert_used_count is 17, outside 1 to 16");
  expectError(with(values, "qwen3moe.expert_count", 0u), ErrorCode::kBadInput,
              "qwen3moe.expert_count is 0, outside 1 to 1024");
  expectError(with(required(), "llama.expert_count", 8u), ErrorCode::kUnsupported, "llama.expert_count is 8");
}

// What no key of its files says: the pattern of the windows, and that yarn does not round.
TEST(GgufConfig, GptOss) {
  Values values = with(required("gpt-oss"), "gpt-oss.expert_count", 8u);
  values["gpt-oss.expert_used_count"] = 2u;
  values["gpt-oss.expert_feed_forward_length"] = 64u;
  values["gpt-oss.attention.sliding_window"] = 16u;
  values["gpt-oss.rope.scaling.type"] = "yarn";
  values["gpt-oss.rope.scaling.factor"] = 4.f;
  const ModelConfig config = valid(values);
  EXPECT_THAT(windowsOf(config), ElementsAre(16, 0, 16));
  EXPECT_FALSE(config.ropes[0].truncated);
  EXPECT_EQ(config.layers[0].headSize, 64u);
  EXPECT_EQ(config.activation, Activation::kSwigluOai);
  EXPECT_EQ(config.layers[1].experts, (ExpertsConfig{8, 2, 64, true}));
  values.erase("gpt-oss.expert_count");
  expectError(values, ErrorCode::kBadInput, "has no gpt-oss.expert_count");
}

// Layers without kv heads are convolutions.
TEST(GgufConfig, Lfm2) {
  Values values = with(required("lfm2"), "lfm2.attention.head_count_kv", std::vector<uint32_t>{0, 2, 0});
  values["lfm2.shortconv.l_cache"] = 3u;
  const ModelConfig config = valid(values);
  EXPECT_EQ(config.layers[0].kind, LayerKind::kConvolution);
  EXPECT_EQ(config.layers[1].kind, LayerKind::kAttention);
  EXPECT_EQ(config.layers[1].kvHeads, 2u);
  EXPECT_EQ(config.convolutionTaps, 3u);
  expectError(with(values, "lfm2.shortconv.l_cache", 9u), ErrorCode::kBadInput,
              "lfm2.shortconv.l_cache is 9, outside 2 to 8");
  values.erase("lfm2.shortconv.l_cache");
  expectError(values, ErrorCode::kBadInput, "has no lfm2.shortconv.l_cache");
}

// The layers that files name, or all but each fourth; blocks that predict further tokens are no layers.
TEST(GgufConfig, Qwen35) {
  Values values = with(required("qwen35"), "qwen35.block_count", 5u);
  for (const auto& [key, value] : std::map<std::string, uint32_t>{{"ssm.conv_kernel", 4},
                                                                  {"ssm.state_size", 32},
                                                                  {"ssm.group_count", 2},
                                                                  {"ssm.time_step_rank", 4},
                                                                  {"ssm.inner_size", 128},
                                                                  {"nextn_predict_layers", 1}})
    values["qwen35." + key] = value;
  ModelConfig config = valid(values);
  ASSERT_EQ(config.layers.size(), 4u);
  EXPECT_EQ(config.layers[2].kind, LayerKind::kRecurrent);
  EXPECT_EQ(config.layers[3].kind, LayerKind::kAttention);
  EXPECT_EQ(config.delta, (DeltaConfig{2, 4, 32, false, false}));
  EXPECT_EQ(config.convolutionTaps, 4u);
  config = valid(with(values, "qwen35.attention.recurrent_layers", std::vector<bool>{true, false, true, false}));
  EXPECT_EQ(config.layers[1].kind, LayerKind::kAttention);
  EXPECT_EQ(config.layers[2].kind, LayerKind::kRecurrent);
  EXPECT_EQ(valid(with(values, "qwen35.full_attention_interval", 2u)).layers[1].kind, LayerKind::kAttention);
  const auto refused = [&](const std::string& key, Values::mapped_type value, const std::string& text,
                           ErrorCode code = ErrorCode::kBadInput) {
    expectError(with(values, "qwen35." + key, std::move(value)), code, text);
  };
  refused("ssm.group_count", 3u, "4 value heads cannot share 3 key heads evenly");
  refused("ssm.group_count", 0u, "qwen35.ssm.group_count is 0, outside 1 to 4096");
  refused("ssm.state_size", 4096u, "qwen35.ssm.state_size is 4096, outside 1 to 1024");
  refused("ssm.inner_size", 64u, "qwen35.ssm.inner_size is 64, but keys have 32 elements", ErrorCode::kUnsupported);
  refused("ssm.conv_kernel", 1u, "qwen35.ssm.conv_kernel is 1, outside 2 to 8");
  refused("full_attention_interval", 0u, "qwen35.full_attention_interval is 0");
  refused("full_attention_interval", 7u, "no layer has attention", ErrorCode::kUnsupported);
  refused("attention.recurrent_layers", std::vector<bool>(6), "is not a list of up to 5 flags");
  refused("attention.recurrent_layers", std::vector<uint32_t>{1, 0}, "recurrent_layers[0] is not true or false");
}

// Scaling is for the global layers only.
TEST(GgufConfig, Gemma3) {
  Values values = with(required("gemma3"), "gemma3.attention.sliding_window", 16u);
  values["gemma3.block_count"] = 7u;
  values["gemma3.rope.freq_base"] = 1e6f;
  values["gemma3.rope.scaling.factor"] = 8.f;
  ModelConfig config = valid(values);
  EXPECT_THAT(windowsOf(config), ElementsAre(16, 16, 16, 16, 16, 0, 16));
  EXPECT_THAT(ropesOf(config), ElementsAre(1, 1, 1, 1, 1, 0, 1));
  EXPECT_EQ(config.ropes[0].factor, 8);
  EXPECT_EQ(config.ropes[0].base, 1e6);
  EXPECT_EQ(config.ropes[1].scaling, RopeScaling::kNone);
  EXPECT_EQ(config.ropes[1].base, 10000);
  EXPECT_EQ(config.attentionSoftcap, 0);
  EXPECT_EQ(config.logitSoftcap, 0);

  config = valid(with(values, "gemma3.attention.sliding_window_pattern", 3u));
  EXPECT_THAT(windowsOf(config), ElementsAre(16, 16, 0, 16, 16, 0, 16));
  const std::vector<bool> flags = {true, false, false, false, true, true, false};
  EXPECT_THAT(windowsOf(valid(with(values, "gemma3.attention.sliding_window_pattern", flags))),
              ElementsAre(16, 0, 0, 0, 16, 16, 0));
  expectError(with(values, "gemma3.attention.sliding_window_pattern", std::vector<bool>{true}), ErrorCode::kBadInput,
              "has 1 elements for 7 layers");
  expectError(with(values, "gemma3.attention.sliding_window_pattern", 0u), ErrorCode::kBadInput, "pattern is 0");
  EXPECT_THAT(windowsOf(valid(required("gemma3"))), ElementsAre(4096, 4096, 4096)) << "as of a config.json";
}

TEST(GgufConfig, Phi3TakesLongRopeFromItsTensors) {
  const std::vector<float> factors(8, 2), other(8, 3);
  Values values = with(required("phi3"), "phi3.rope.dimension_count", 16u);
  values["phi3.rope.scaling.attn_factor"] = 1.25f;
  values["phi3.rope.scaling.original_context_length"] = 64u;
  const ModelConfig config =
      valid(values, {{"rope_factors_short.weight", factors}, {"rope_factors_long.weight", other}});
  EXPECT_EQ(config.ropes[0].scaling, RopeScaling::kLongRope);
  EXPECT_EQ(config.ropes[0].dimensions, 16u);
  EXPECT_EQ(config.ropes[0].originalContext, 64u);
  EXPECT_EQ(config.ropes[0].attentionFactor, 1.25);
  EXPECT_EQ(config.ropes[0].longFactors.front(), 3);
  expectError(values, ErrorCode::kBadInput, "only one of the tensors", {{"rope_factors_long.weight", other}});
  expectError(with(values, "phi3.rope.scaling.type", "longrope"), ErrorCode::kBadInput, "no tensor rope_factors_long");
}

// Past its original context queries grow; without a scale they do not.
TEST(GgufConfig, QueriesOfMistral3Grow) {
  Values values = with(required("mistral3"), "mistral3.rope.scaling.original_context_length", 128u);
  EXPECT_EQ(valid(values).queryGrowth, PositionGrowth());
  values["mistral3.attention.temperature_scale"] = 0.125f;
  EXPECT_EQ(valid(values).queryGrowth, (PositionGrowth{0.125, 128}));
  expectError(with(values, "mistral3.attention.temperature_scale", -1.f), ErrorCode::kBadInput,
              "mistral3.attention.temperature_scale is -1");
}

// With a window the layers without it do not turn; without one all do.
TEST(GgufConfig, Exaone4TurnsWithinItsWindow) {
  Values values = with(required("exaone4"), "exaone4.block_count", 5u);
  EXPECT_THAT(ropesOf(valid(values)), ElementsAre(0, 0, 0, 0, 0));
  values["exaone4.attention.sliding_window"] = 16u;
  EXPECT_THAT(windowsOf(valid(values)), ElementsAre(16, 16, 16, 0, 16));
  EXPECT_THAT(ropesOf(valid(values)), ElementsAre(0, 0, 0, kNoRope, 0));
  expectError(with(values, "exaone4.attention.sliding_window_pattern", "LxG"), ErrorCode::kBadInput,
              "exaone4.attention.sliding_window_pattern is not a text of the letters L and G");
}

// OLMo 3 has a window, and its rope scaling is for the layers without.
TEST(GgufConfig, Olmo2HasAWindowWhereItSaysSo) {
  Values values = with(required("olmo2"), "olmo2.rope.freq_base", 5e5f);
  values["olmo2.rope.scaling.type"] = "yarn";
  values["olmo2.rope.scaling.factor"] = 4.f;
  EXPECT_THAT(windowsOf(valid(values)), ElementsAre(0, 0, 0));
  values["olmo2.attention.sliding_window"] = 16u;
  values["olmo2.block_count"] = 4u;
  const ModelConfig config = valid(values);
  EXPECT_THAT(windowsOf(config), ElementsAre(16, 16, 16, 0));
  EXPECT_THAT(ropesOf(config), ElementsAre(1, 1, 1, 0));
  EXPECT_EQ(config.ropes[0].scaling, RopeScaling::kYarn);
  EXPECT_EQ(config.ropes[1].scaling, RopeScaling::kNone);
  EXPECT_EQ(config.ropes[1].base, 5e5);
}

// The last blocks of a file may predict further tokens; its lists count them.
TEST(GgufConfig, BlocksThatPredictAreNoLayers) {
  Values values = with("llama.nextn_predict_layers", 1u);
  values["llama.feed_forward_length"] = std::vector<uint32_t>{64, 160, 96};
  const ModelConfig config = valid(values);
  ASSERT_EQ(config.layers.size(), 2u);
  EXPECT_EQ(config.layers[1].feedForward, 160u);
  expectError(with("llama.nextn_predict_layers", 3u), ErrorCode::kBadInput,
              "llama.nextn_predict_layers is 3, outside 0 to 2");
}

TEST(GgufConfig, SmolLm3LeavesEveryFourthLayerUnturned) {
  const ModelConfig config = valid(with(required("smollm3"), "smollm3.block_count", 8u));
  EXPECT_THAT(ropesOf(config), ElementsAre(0, 0, 0, kNoRope, 0, 0, 0, kNoRope));
  EXPECT_EQ(config.pairOrder, PairOrder::kAdjacent);
}

TEST(GgufConfig, Granite) {
  Values values = with(required("granite"), "granite.logit_scale", 8.f);
  values["granite.residual_scale"] = 0.25f;
  ModelConfig config = valid(values);
  EXPECT_EQ(config.logitScale, 0.125) << "logits are divided";
  EXPECT_EQ(config.residualScale, 0.25);
  EXPECT_EQ(config.embeddingScale, 1);
  EXPECT_EQ(config.attentionScale, 1) << "as of a config.json, not by the head size";
  EXPECT_THAT(ropesOf(config), ElementsAre(0, 0, 0));
  EXPECT_THAT(ropesOf(valid(with(values, "granite.rope.scaling.finetuned", false))),
              ElementsAre(kNoRope, kNoRope, kNoRope));
  expectError(with(values, "granite.logit_scale", 0.f), ErrorCode::kBadInput, "granite.logit_scale is 0");
}

TEST(GgufConfig, NumbersOfEachLayer) {
  Values values = with("llama.attention.head_count_kv", std::vector<uint32_t>{4, 2, 1});
  values["llama.feed_forward_length"] = std::vector<uint32_t>{64, 160, 96};
  const ModelConfig config = valid(values);
  ASSERT_EQ(config.layers.size(), 3u);
  EXPECT_EQ(config.layers[0], (LayerConfig{.heads = 4, .kvHeads = 4, .headSize = 24, .feedForward = 64}));
  EXPECT_EQ(config.layers[1], (LayerConfig{.heads = 4, .kvHeads = 2, .headSize = 24, .feedForward = 160}));
  EXPECT_EQ(config.layers[2], (LayerConfig{.heads = 4, .kvHeads = 1, .headSize = 24, .feedForward = 96}));
  expectError(with("llama.feed_forward_length", std::vector<uint32_t>{64}), ErrorCode::kBadInput,
              "llama.feed_forward_length has 1 elements for 3 layers");
  expectError(with("llama.attention.head_count_kv", 0u), ErrorCode::kBadInput,
              "llama.attention.head_count_kv is 0, outside 1 to 4");
  expectError(with("llama.attention.head_count_kv", std::vector<uint32_t>{4, 0, 4}), ErrorCode::kUnsupported,
              "layer 1 is recurrent: only layers of attention are supported");
  expectError(with("llama.attention.head_count_kv", std::vector<uint32_t>{0, 0, 0}), ErrorCode::kBadInput,
              "llama.attention.head_count_kv is 0 for every layer: its converter misread the kinds of the layers");
  expectError(with("llama.attention.head_count_kv", std::vector<uint32_t>{4, 4, 3}), ErrorCode::kBadInput,
              "4 heads cannot share 3 kv heads");
}

// A head size has a rope of its own; kv heads that nobody says are as many as the layer's heads.
TEST(GgufConfig, HeadsOfEachLayer) {
  Values values = with("llama.attention.key_length", std::vector<uint32_t>{32, 64, 32});
  values["llama.attention.value_length"] = std::vector<uint32_t>{32, 64, 32};
  values["llama.attention.head_count"] = std::vector<uint32_t>{4, 2, 8};
  const ModelConfig config = valid(values);
  EXPECT_EQ(config.layers[1], (LayerConfig{.heads = 2, .kvHeads = 2, .headSize = 64, .feedForward = 160, .rope = 1}));
  EXPECT_EQ(config.layers[2], (LayerConfig{.heads = 8, .kvHeads = 8, .headSize = 32, .feedForward = 160}));
  ASSERT_EQ(config.ropes.size(), 2u);
  EXPECT_EQ(config.ropes[0].dimensions, 32u);
  EXPECT_EQ(config.ropes[1].dimensions, 64u);
  values["llama.attention.value_length"] = std::vector<uint32_t>{32, 64, 64};
  expectError(values, ErrorCode::kUnsupported, "keys of 32 and values of 64 elements");
}

// llama.cpp's numbers; what ranks and what pools nothing says nothing about embeddings.
TEST(GgufConfig, Pooling) {
  EXPECT_EQ(valid(required()).pooling, Pooling::kUnset);
  const Pooling expected[] = {Pooling::kUnset, Pooling::kMean, Pooling::kCls, Pooling::kLast, Pooling::kUnset};
  for (uint32_t number = 0; number < 5; ++number)
    EXPECT_EQ(valid(with("llama.pooling_type", number)).pooling, expected[number]) << number;
  expectError(with("llama.pooling_type", 5u), ErrorCode::kBadInput, "pooling_type is 5, outside 0 to 4");
}

// The last layers attend over what an earlier one of their window has written.
TEST(GgufConfig, SharedCaches) {
  Values values = with(required("gemma3"), "gemma3.attention.shared_kv_layers", 3u);
  values["gemma3.block_count"] = 6u;
  values["gemma3.attention.sliding_window"] = 16u;
  values["gemma3.attention.sliding_window_pattern"] = std::vector<bool>{true, false, true, true, false, true};
  const auto caches = [](const ModelConfig& config) {
    std::vector<uint32_t> all;
    for (const LayerConfig& layer : config.layers) all.push_back(layer.cache);
    return all;
  };
  constexpr uint32_t kOwn = LayerConfig::kOwnCache;
  EXPECT_THAT(caches(valid(values)), ElementsAre(kOwn, kOwn, kOwn, 2, 1, 2));
  values["gemma3.attention.sliding_window_pattern"] = std::vector<bool>{true, true, true, true, false, true};
  expectError(values, ErrorCode::kBadInput,
              "gemma3.attention.shared_kv_layers is 3, but no layer before those has layer 4's window");
  expectError(with("llama.attention.shared_kv_layers", 3u), ErrorCode::kBadInput,
              "shared_kv_layers is 3, outside 0 to 2");
  Values heads = with("llama.attention.shared_kv_layers", 1u);
  heads["llama.attention.head_count_kv"] = std::vector<uint32_t>{4, 2, 4};
  expectError(heads, ErrorCode::kBadInput,
              "layer 2 shares the cache of layer 1, which has 2 kv heads of 24 elements, not 4 of 24");
}

// As in a folder; llama.cpp leaves it aside.
TEST(GgufConfig, Phi3AttendsWithinItsWindow) {
  EXPECT_THAT(windowsOf(valid(with(required("phi3"), "phi3.attention.sliding_window", 2047u))),
              ElementsAre(2047, 2047, 2047));
  EXPECT_THAT(windowsOf(valid(required("phi3"))), ElementsAre(0, 0, 0));
}

TEST(GgufConfig, NumbersOutsideTheirBounds) {
  expectError(with("llama.block_count", 513u), ErrorCode::kBadInput, "block_count is 513, outside 1 to 512");
  expectError(with("llama.attention.head_count", 0u), ErrorCode::kBadInput, "head_count is 0");
  expectError(with("llama.attention.head_count_kv", 3u), ErrorCode::kBadInput, "4 heads cannot share 3 kv heads");
  expectError(with("llama.attention.head_count", 5u), ErrorCode::kBadInput, "cannot be split into 5 heads");
  expectError(with("llama.rope.dimension_count", 26u), ErrorCode::kBadInput, "rope.dimension_count is 26");
  expectError(with("llama.rope.freq_base", 0.f), ErrorCode::kBadInput, "the base of the rope is 0");
  expectError(with("llama.attention.layer_norm_rms_epsilon", 0.f), ErrorCode::kBadInput, "epsilon");
  expectError(with("llama.context_length", "many"), ErrorCode::kBadInput, "context_length is not a whole number");
}

TEST(GgufConfig, WhatIsNotSupportedIsNamed) {
  expectError(with("general.architecture", "mamba"), ErrorCode::kUnsupported, "the architecture 'mamba'");
  expectError(with("llama.rope.scaling.type", "dynamic"), ErrorCode::kUnsupported, "'dynamic'");
  expectError(with("llama.attention.causal", false), ErrorCode::kUnsupported, "llama.attention.causal is false");
  expectError(with("llama.logit_scale", 0.5f), ErrorCode::kUnsupported, "llama.logit_scale is 0.5");
  expectError(with("llama.rope.dimension_count", 12u), ErrorCode::kUnsupported, "whole heads of 24");
  expectError(with("llama.expert_count", 8u), ErrorCode::kUnsupported, "llama.expert_count is 8; mixtures");
  expectError(with("llama.attention.value_length", 32u), ErrorCode::kUnsupported, "equal head sizes");
}

} // namespace
} // namespace llcuda::models
