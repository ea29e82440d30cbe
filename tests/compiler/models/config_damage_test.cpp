// SPDX-License-Identifier: Apache-2.0
// Replaces and flips what configurations say, and reads them. Nothing may crash, sanitizers watch; a configuration that
// is read has numbers that a model can be built from.
#include <cmath>
#include <cstddef>
#include <functional>
#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "compiler/ingest/json_text.h"
#include "compiler/models/config_limits.h"
#include "compiler/models/family.h"
#include "compiler/models/gguf_config.h"
#include "compiler/models/hf_config.h"
#include "tests/compiler/ingest/gguf_builder.h"
#include "tests/nightly.h"

namespace llcuda::models {
namespace {

using ingest::GgufBuilder;
using ingest::GgufType;
using Json = nlohmann::json;

const int kFiles = nightly() ? 1'000'000 : 4'000;

struct Counts {
  int read = 0, refused = 0;

  void add(const Result<ModelConfig>& config);
};

/// What the builder takes for granted.
void expectSound(const ModelConfig& config) {
  ASSERT_GE(config.layers.size(), 1u);
  ASSERT_LE(config.layers.size(), kMaxLayers);
  ASSERT_LE(config.embedding, kMaxWidth);
  for (const LayerConfig& layer : config.layers) {
    ASSERT_GE(layer.feedForward, 1u);
    ASSERT_LE(layer.feedForward, kMaxWidth);
    ASSERT_LE(uint64_t{layer.heads} * layer.headSize, kMaxWidth);
    ASSERT_EQ(layer.heads % layer.kvHeads, 0u);
    if (layer.rope == LayerConfig::kNoRope)
      continue;
    ASSERT_LT(layer.rope, config.ropes.size());
    ASSERT_EQ(config.ropes[layer.rope].dimensions % 2, 0u);
    ASSERT_LE(config.ropes[layer.rope].dimensions, layer.headSize);
  }
  for (const RopeConfig& rope : config.ropes) {
    for (const auto* factors : {&rope.shortFactors, &rope.longFactors, &rope.divisors})
      ASSERT_TRUE(factors->empty() || factors->size() == rope.dimensions / 2);
    ASSERT_TRUE(std::isfinite(rope.base) && std::isfinite(rope.factor) && std::isfinite(rope.attentionFactor));
  }
  ASSERT_TRUE(std::isfinite(config.attentionScale) && std::isfinite(config.embeddingScale));
  ASSERT_TRUE(std::isfinite(config.residualScale) && std::isfinite(config.logitScale));
}

void Counts::add(const Result<ModelConfig>& config) {
  if (config) {
    expectSound(*config);
    ++read;
    return;
  }
  ++refused;
  EXPECT_FALSE(config.error().message.empty());
  EXPECT_EQ(config.error().message.find('\n'), std::string::npos) << config.error().message;
  EXPECT_NE(config.error().code, ErrorCode::kInternal) << config.error().message;
}

/// Both happen, else the damage is too great or too small to reach the checks.
void expectBoth(const Counts& counts) {
  EXPECT_GT(counts.refused, kFiles / 10);
  EXPECT_GT(counts.read, kFiles / 20);
}

// --- config.json -----------------------------------------------------------------------------------------------------

/// One of the names of a kind that families have.
std::string nameOf(FamilyNames Family::*names, std::mt19937& random) {
  std::vector<std::string> all;
  for (const Family* family : families())
    for (const std::string_view name : family->*names) all.emplace_back(name);
  return all[random() % all.size()];
}

/// A file in which every key that is read stands.
Json sample(const std::string& modelClass) {
  const Json rope = {{"rope_type", "yarn"},
                     {"factor", 4.0},
                     {"beta_fast", 32},
                     {"mscale", 1.0},
                     {"mscale_all_dim", 1.0},
                     {"original_max_position_embeddings", 64},
                     {"short_factor", {1, 1, 1, 1}},
                     {"long_factor", {2, 2, 2, 2}},
                     {"low_freq_factor", 1.0},
                     {"high_freq_factor", 4.0},
                     {"rope_theta", 1e5},
                     {"truncate", true}};
  Json json = {{"architectures", {modelClass}},
               {"model_type", "llama"},
               {"num_hidden_layers", 4},
               {"hidden_size", 64},
               {"intermediate_size", 96},
               {"num_attention_heads", 4},
               {"num_key_value_heads", 2},
               {"num_kv_shared_layers", 1},
               {"head_dim", 16},
               {"vocab_size", 100},
               {"max_position_embeddings", 256},
               {"rms_norm_eps", 1e-5},
               {"hidden_act", "silu"},
               {"sliding_window", 32},
               {"use_sliding_window", true},
               {"sliding_window_pattern", 2},
               {"max_window_layers", 2},
               {"layer_types", {"full_attention", "sliding_attention", "full_attention", "sliding_attention"}},
               {"no_rope_layers", {1, 1, 1, 0}},
               {"no_rope_layer_interval", 4},
               {"rope_theta", 10000.0},
               {"rope_local_base_freq", 10000.0},
               {"partial_rotary_factor", 0.5},
               {"rope_scaling", rope},
               {"rope_parameters", {{"full_attention", rope}, {"sliding_attention", {{"rope_theta", 1e4}}}}},
               {"query_pre_attn_scalar", 16},
               {"embedding_multiplier", 12},
               {"residual_multiplier", 0.22},
               {"attention_multiplier", 0.25},
               {"logits_scaling", 8},
               {"attn_logit_softcapping", 50.0},
               {"final_logit_softcapping", 30.0},
               {"tie_word_embeddings", true},
               {"torch_dtype", "bfloat16"},
               {"quantization_config", {{"quant_method", "bitsandbytes"}, {"load_in_4bit", true}}},
               {"_llcuda_version", "3.0.0"}};
  json["rope_parameters"]["llama_4_scaling_beta"] = 0.1;
  json["text_config"] = json;
  return json;
}

/// Every value of a tree, the objects and lists among them.
void collect(Json& json, std::vector<Json*>& values) {
  values.push_back(&json);
  if (json.is_structured())
    for (Json& item : json) collect(item, values);
}

Json hostile(std::mt19937& random) {
  static const Json kValues[] = {nullptr,
                                 true,
                                 false,
                                 0,
                                 1,
                                 3,
                                 -1,
                                 7,
                                 512,
                                 513,
                                 4096,
                                 16777217,
                                 4294967296u,
                                 UINT64_MAX,
                                 INT64_MIN,
                                 0.0,
                                 0.5,
                                 -0.5,
                                 1e-320,
                                 1e300,
                                 1e308,
                                 "",
                                 "silu",
                                 "yarn",
                                 "llama3",
                                 "longrope",
                                 "linear",
                                 "full_attention",
                                 "phi3",
                                 Json::array(),
                                 Json::object(),
                                 Json::array({1}),
                                 Json::array({1, 2, 3, 4}),
                                 Json::array({"sliding_attention"}),
                                 Json::array({0, 1e300, -1, nullptr}),
                                 Json{{"rope_type", "llama3"}, {"factor", 8}},
                                 std::string(300, '\n')};
  return kValues[random() % std::size(kValues)];
}

TEST(ConfigDamage, OfHuggingFaceFiles) {
  std::mt19937 random(20240501);
  Counts counts;
  for (int i = 0; i < kFiles; ++i) {
    Json json = sample(nameOf(&Family::huggingFace, random));
    for (auto changes = 1 + random() % 3; changes != 0; --changes) {
      Json& object = random() % 4 == 0 ? json : json["text_config"];
      if (random() % 3 == 0 && object.is_object() && !object.empty()) {
        object.erase(std::next(object.begin(), static_cast<ptrdiff_t>(random() % object.size())));
        continue;
      }
      std::vector<Json*> values;
      collect(object, values);
      *values[random() % values.size()] = hostile(random);
      if (!json.is_object())
        break;
    }
    const Result<HfConfig> config =
        configFromHf(Json::parse(json.dump())); // literals of C++ are signed, a file's are not
    counts.add(config ? Result<ModelConfig>(config->model) : Result<ModelConfig>(config.error()));
  }
  expectBoth(counts);
}

TEST(ConfigDamage, OfTheTextOfHuggingFaceFiles) {
  std::mt19937 random(20240502);
  Counts counts;
  for (int i = 0; i < kFiles; ++i) {
    std::string text = sample(nameOf(&Family::huggingFace, random)).dump();
    for (auto flips = 1 + random() % 2; flips != 0; --flips)
      text[random() % text.size()] ^= static_cast<char>(1 << random() % 8);
    const Result<Json> json = ingest::parseJson(text);
    if (!json)
      continue;
    const Result<HfConfig> config = configFromHf(*json);
    counts.add(config ? Result<ModelConfig>(config->model) : Result<ModelConfig>(config.error()));
  }
  EXPECT_GT(counts.read, kFiles / 20);
  EXPECT_GT(counts.refused, kFiles / 50);
}

// --- GGUF ------------------------------------------------------------------------------------------------------------

/// The divisors of a rope, of whatever sizes and values.
class Divisors final : public ingest::Checkpoint {
public:
  explicit Divisors(std::mt19937& random) {
    std::vector<ingest::TensorInfo> tensors;
    for (const char* name : {"rope_freqs.weight", "rope_factors_short.weight", "rope_factors_long.weight"})
      if (random() % 4 == 0)
        tensors.push_back({name, formats::TensorType::kF32, {random() % 8 == 0 ? random() % 9 : 8}});
    values.assign(16, random() % 8 == 0 ? 0.f : 1.5f);
    setTensors(std::move(tensors));
  }
  Result<ingest::TensorBytes> read(const ingest::TensorInfo& tensor) const override {
    return ingest::TensorBytes{tensor.type, std::as_bytes(std::span(values)).first(tensor.dims[0] * sizeof(float))};
  }

private:
  std::vector<float> values;
};

using Writer = std::function<void(GgufBuilder&, const std::string& key)>;

Writer whole(uint32_t value) {
  return [=](GgufBuilder& b, const std::string& key) { b.u32(key, value); };
}
Writer real(float value) {
  return [=](GgufBuilder& b, const std::string& key) { b.key(key, GgufType::kF32).number(value); };
}
Writer text(std::string value) {
  return [=](GgufBuilder& b, const std::string& key) { b.string(key, value); };
}
Writer flag(uint8_t value) {
  return [=](GgufBuilder& b, const std::string& key) { b.key(key, GgufType::kBool).number(value); };
}
Writer list(std::vector<int32_t> values) {
  return [=](GgufBuilder& b, const std::string& key) {
    b.array(key, GgufType::kI32, values.size());
    for (const int32_t value : values) b.number(value);
  };
}
Writer texts(size_t count) {
  return [=](GgufBuilder& b, const std::string& key) {
    b.array(key, GgufType::kString, count);
    for (size_t i = 0; i < count; ++i) b.text("x");
  };
}

std::vector<std::pair<std::string, Writer>> sampleKeys() {
  return {{"block_count", whole(4)},
          {"context_length", whole(256)},
          {"embedding_length", whole(64)},
          {"feed_forward_length", whole(96)},
          {"attention.head_count", whole(4)},
          {"attention.head_count_kv", whole(2)},
          {"attention.key_length", whole(16)},
          {"attention.value_length", whole(16)},
          {"attention.layer_norm_rms_epsilon", real(1e-5f)},
          {"vocab_size", whole(100)},
          {"attention.shared_kv_layers", whole(1)},
          {"pooling_type", whole(1)},
          {"attention.sliding_window", whole(32)},
          {"attention.sliding_window_pattern", whole(2)},
          {"attention.scale", real(0.25f)},
          {"attention.temperature_scale", real(0.1f)},
          {"attention.causal", flag(1)},
          {"attn_logit_softcapping", real(50)},
          {"final_logit_softcapping", real(30)},
          {"rope.dimension_count", whole(16)},
          {"rope.freq_base", real(1e5f)},
          {"rope.freq_base_swa", real(1e4f)},
          {"rope.scaling.type", text("yarn")},
          {"rope.scaling.factor", real(4)},
          {"rope.scaling.original_context_length", whole(64)},
          {"rope.scaling.attn_factor", real(1)},
          {"rope.scaling.yarn_log_multiplier", real(1)},
          {"rope.scaling.yarn_beta_fast", real(32)},
          {"expert_count", whole(0)},
          {"logit_scale", real(1)}};
}

Writer hostileWriter(std::mt19937& random) {
  static const Writer kWriters[] = {whole(0),
                                    whole(1),
                                    whole(3),
                                    whole(513),
                                    whole(UINT32_MAX),
                                    whole(1u << 20),
                                    real(0),
                                    real(-1),
                                    real(1e38f),
                                    real(std::numeric_limits<float>::quiet_NaN()),
                                    real(std::numeric_limits<float>::infinity()),
                                    real(1e-40f),
                                    text(""),
                                    text("linear"),
                                    text(std::string(300, '\n')),
                                    flag(0),
                                    flag(2),
                                    list({}),
                                    list({1, 0, 1, 0}),
                                    list({4, 4, 4, 4}),
                                    list({-1, 2, 2, 2}),
                                    list({2, 0, 2, 2}),
                                    list({16, 32, 16, 64}),
                                    list({2, 2}),
                                    list(std::vector<int32_t>(100'000, 2)),
                                    texts(4),
                                    texts(0)};
  return kWriters[random() % std::size(kWriters)];
}

TEST(ConfigDamage, OfGgufKeys) {
  std::mt19937 random(20240503);
  Counts counts;
  const ingest::TemporaryFile file("");
  for (int i = 0; i < kFiles; ++i) {
    const std::string architecture = nameOf(&Family::gguf, random);
    auto keys = sampleKeys();
    for (auto changes = 1 + random() % 3; changes != 0; --changes) {
      const size_t at = random() % keys.size();
      if (random() % 3 == 0)
        keys.erase(keys.begin() + static_cast<ptrdiff_t>(at));
      else
        keys[at].second = hostileWriter(random);
    }
    GgufBuilder builder(0, static_cast<int64_t>(keys.size() + 1));
    builder.string("general.architecture", architecture);
    for (const auto& [key, writer] : keys) writer(builder, architecture + "." + key);
    file.write(builder.bytes);
    const auto opened = ingest::GgufFile::open(file.path());
    ASSERT_TRUE(opened) << opened.error().message;
    counts.add(configFromGguf(*opened, Divisors(random)));
  }
  expectBoth(counts);
}

} // namespace
} // namespace llcuda::models
