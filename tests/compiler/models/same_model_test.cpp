// SPDX-License-Identifier: Apache-2.0
// One model as a Hugging Face folder and as the GGUF file that a converter makes of it: one configuration, apart from
// the order of rows, what norms are stored without, and the names.
#include <cmath>
#include <map>
#include <variant>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "compiler/models/family_list.h"
#include "compiler/models/gguf_config.h"
#include "compiler/models/hf_config.h"
#include "compiler/models/rope_frequencies.h"
#include "tests/compiler/ingest/gguf_builder.h"

namespace llcuda::models {
namespace {

using ingest::GgufBuilder;
using ingest::GgufType;
using Json = nlohmann::json;
using GgufKeys = std::map<std::string, std::variant<uint32_t, float, std::string>>;

class NoTensors final : public ingest::Checkpoint {
public:
  Result<ingest::TensorBytes> read(const ingest::TensorInfo& tensor) const override {
    return internalError("there is no ", tensor.name);
  }
};

ModelConfig ofGguf(const std::string& architecture, GgufKeys keys) {
  keys.merge(GgufKeys{{"block_count", 8u},
                      {"context_length", 256u},
                      {"embedding_length", 64u},
                      {"feed_forward_length", 96u},
                      {"attention.head_count", 4u},
                      {"attention.head_count_kv", 2u},
                      {"attention.key_length", 16u},
                      {"attention.value_length", 16u},
                      {"attention.layer_norm_rms_epsilon", 0.03125f},
                      {"vocab_size", 100u}});
  GgufBuilder builder(0, static_cast<int64_t>(keys.size() + 1));
  builder.string("general.architecture", architecture);
  for (const auto& [key, value] : keys) {
    const std::string name = architecture + "." + key;
    if (const auto* whole = std::get_if<uint32_t>(&value))
      builder.u32(name, *whole);
    else if (const auto* real = std::get_if<float>(&value))
      builder.key(name, GgufType::kF32).number(*real);
    else
      builder.string(name, std::get<std::string>(value));
  }
  const ingest::TemporaryFile file(builder.bytes);
  const auto opened = ingest::GgufFile::open(file.path());
  const auto config = configFromGguf(*opened, NoTensors());
  EXPECT_TRUE(config) << config.error().message;
  return config ? *config : ModelConfig();
}

ModelConfig ofFolder(const char* modelClass, const Json& more) {
  Json json = {{"architectures", {modelClass}},  {"num_hidden_layers", 8},
               {"max_position_embeddings", 256}, {"hidden_size", 64},
               {"intermediate_size", 96},        {"num_attention_heads", 4},
               {"num_key_value_heads", 2},       {"head_dim", 16},
               {"rms_norm_eps", 0.03125},        {"vocab_size", 100}};
  if (!more.is_null())
    json.update(more);
  const auto config = configFromHf(json);
  EXPECT_TRUE(config) << config.error().message;
  return config ? config->model : ModelConfig();
}

void expectSame(const char* architecture, const GgufKeys& keys, const char* modelClass, const Json& json) {
  SCOPED_TRACE(modelClass);
  ModelConfig gguf = ofGguf(architecture, keys), folder = ofFolder(modelClass, json);
  EXPECT_EQ(gguf.family, folder.family);
  ASSERT_EQ(gguf.ropes.size(), folder.ropes.size());
  for (size_t i = 0; i < gguf.ropes.size(); ++i)
    EXPECT_EQ(ropeAngles(gguf.ropes[i], 256, 256), ropeAngles(folder.ropes[i], 256, 256)) << "rope " << i;
  for (ModelConfig* config : {&gguf, &folder}) { // compared above, or a file's own
    config->ropes.clear();
    config->pairOrder = {};
    config->normPlus = 0;
    if (config->attentionScale == 0)
      config->attentionScale = 1 / std::sqrt(16.0);
  }
  EXPECT_EQ(gguf.layers, folder.layers);
  EXPECT_TRUE(gguf == folder);
}

TEST(SameModel, WithDefaults) {
  expectSame("qwen2vl", {{"rope.freq_base", 1e6f}}, "Qwen2_5_VLForConditionalGeneration", {});
  expectSame("qwen3vl", {{"rope.freq_base", 5e5f}}, "Qwen3VLForConditionalGeneration", {});
  expectSame("ernie4_5", {{"rope.freq_base", 5e5f}}, "Ernie4_5ForCausalLM", {});
  expectSame("paddleocr", {{"rope.freq_base", 5e5f}}, "PaddleOCRVLForConditionalGeneration", {});
  expectSame("olmo2", {}, "Olmo2ForCausalLM", {});
  expectSame("llama", {}, "LlamaForCausalLM", {});
  expectSame("qwen2", {}, "Qwen2ForCausalLM", {});
  expectSame("qwen3", {}, "Qwen3ForCausalLM", {});
  expectSame("phi3", {}, "Phi3ForCausalLM", {});
  expectSame("gemma", {}, "GemmaForCausalLM", {});
  // Its base is not llama's, and the layers without a rope stand in no GGUF key.
  expectSame("smollm3", {}, "SmolLM3ForCausalLM", {});
  expectSame("gemma2", {}, "Gemma2ForCausalLM", {{"query_pre_attn_scalar", 16}});
  expectSame("gemma3", {}, "Gemma3ForCausalLM", {{"query_pre_attn_scalar", 16}});
}

// A window of Phi 3 is on all layers, whatever the file; one of Qwen 2 needs another key.
TEST(SameModel, Windows) {
  expectSame("phi3", {{"attention.sliding_window", 47u}}, "Phi3ForCausalLM", {{"sliding_window", 47}});
  expectSame("phi3", {{"attention.sliding_window", 0u}}, "Phi3ForCausalLM", {{"sliding_window", nullptr}});
  expectSame("qwen2", {{"attention.sliding_window", 47u}}, "Qwen2ForCausalLM", {{"sliding_window", 47}});
  expectSame("exaone4", {{"attention.sliding_window", 47u}}, "Exaone4ForCausalLM",
             {{"sliding_window", 47}, {"sliding_window_pattern", "LLLG"}});
  expectSame("exaone4", {}, "Exaone4ForCausalLM", {{"sliding_window", nullptr}});
  expectSame("gemma3", {{"attention.sliding_window", 47u}, {"attention.sliding_window_pattern", 3u}},
             "Gemma3ForCausalLM",
             {{"sliding_window", 47}, {"sliding_window_pattern", 3}, {"query_pre_attn_scalar", 16}});
}

TEST(SameModel, Ropes) {
  expectSame("llama", {{"rope.scaling.type", "linear"}, {"rope.scaling.factor", 4.f}, {"rope.freq_base", 5e5f}},
             "LlamaForCausalLM", {{"rope_theta", 5e5}, {"rope_scaling", {{"type", "linear"}, {"factor", 4}}}});
  expectSame(
      "qwen2",
      {{"rope.scaling.type", "yarn"}, {"rope.scaling.factor", 4.f}, {"rope.scaling.original_context_length", 64u}},
      "Qwen2ForCausalLM",
      {{"rope_scaling", {{"type", "yarn"}, {"factor", 4}, {"original_max_position_embeddings", 64}}}});
  expectSame("phi3", {{"rope.dimension_count", 12u}}, "Phi3ForCausalLM", {{"partial_rotary_factor", 0.75}});
  expectSame("gemma3", {{"rope.freq_base_swa", 5e3f}, {"rope.scaling.type", "linear"}, {"rope.scaling.factor", 8.f}},
             "Gemma3ForCausalLM",
             {{"rope_local_base_freq", 5e3},
              {"rope_scaling", {{"rope_type", "linear"}, {"factor", 8}}},
              {"query_pre_attn_scalar", 16}});
}

// Ministral 3, with or without queries that grow.
TEST(SameModel, YarnThatGrows) {
  const GgufKeys keys = {{"rope.scaling.type", "yarn"},
                         {"rope.scaling.factor", 4.f},
                         {"rope.freq_base", 1e6f},
                         {"rope.scaling.original_context_length", 64u},
                         {"rope.scaling.yarn_log_multiplier", 1.f},
                         {"attention.temperature_scale", 0.125f}};
  Json rope = {{"type", "yarn"},
               {"factor", 4},
               {"rope_theta", 1e6},
               {"original_max_position_embeddings", 64},
               {"mscale", 1},
               {"mscale_all_dim", 1},
               {"llama_4_scaling_beta", 0.125}};
  expectSame("mistral3", keys, "Ministral3ForCausalLM", {{"rope_parameters", rope}});
  EXPECT_EQ(ofFolder("Ministral3ForCausalLM", {{"rope_parameters", rope}}).queryGrowth, (PositionGrowth{0.125, 64}));
  rope.erase("llama_4_scaling_beta");
  EXPECT_EQ(ofFolder("Mistral3ForConditionalGeneration", {{"rope_parameters", rope}}).queryGrowth, PositionGrowth());
}

TEST(SameModel, Caps) {
  expectSame("gemma2", {{"attn_logit_softcapping", 5.f}, {"final_logit_softcapping", 4.f}}, "Gemma2ForCausalLM",
             {{"attn_logit_softcapping", 5}, {"final_logit_softcapping", 4}, {"query_pre_attn_scalar", 16}});
}

TEST(SameModel, FourScales) {
  expectSame("granite", {}, "GraniteForCausalLM", {});
  expectSame("granite",
             {{"embedding_scale", 12.f}, {"residual_scale", 0.25f}, {"attention.scale", 0.5f}, {"logit_scale", 8.f}},
             "GraniteForCausalLM",
             {{"embedding_multiplier", 12},
              {"residual_multiplier", 0.25},
              {"attention_multiplier", 0.5},
              {"logits_scaling", 8}});
}

// Gemma 4: two head sizes, stated by the usual one or for each layer; shared caches; embeddings of layers.
TEST(SameModel, HeadsByLayer) {
  const Json ropes = {
      {"full_attention", {{"rope_type", "proportional"}, {"partial_rotary_factor", 0.5}, {"rope_theta", 1e6}}},
      {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 1e4}}}};
  // Whole heads turn without a tensor of divisors, which the GGUF files of this test have not.
  Json whole = ropes;
  whole["full_attention"]["partial_rotary_factor"] = 1;
  const GgufKeys keys = {{"attention.key_length", 32u},      {"attention.value_length", 32u},
                         {"attention.key_length_swa", 16u},  {"attention.value_length_swa", 16u},
                         {"rope.dimension_count", 32u},      {"rope.dimension_count_swa", 16u},
                         {"rope.freq_base", 1e6f},           {"attention.sliding_window", 47u},
                         {"attention.shared_kv_layers", 2u}, {"attention.sliding_window_pattern", 4u}};
  const char *const local = "sliding_attention", *const full = "full_attention";
  Json json = {{"sliding_window", 47},
               {"num_kv_shared_layers", 2},
               {"rope_parameters", whole},
               {"global_head_dim", 32},
               {"hidden_size_per_layer_input", 0},
               {"attention_k_eq_v", true},
               {"use_bidirectional_attention", "vision"},
               {"layer_types", {local, local, local, full, local, local, local, full}}};
  expectSame("gemma4", keys, "Gemma4ForCausalLM", json);
  json.erase("global_head_dim");
  json["per_layer_config"] = {{"3", {{"head_dim", 32}}}, {"7", {{"head_dim", 32}}}};
  const ModelConfig config = ofFolder("Gemma4ForConditionalGeneration", json);
  EXPECT_EQ(config.layers[3].headSize, 32u);
  EXPECT_EQ(config.layers[4].headSize, 16u);
  EXPECT_EQ(config.layers[6].cache, 5u);
  EXPECT_EQ(config.layers[7].cache, 3u);
  json["rope_parameters"] = ropes;
  EXPECT_EQ(ofFolder("Gemma4ForCausalLM", json).ropes.front().divisors,
            (std::vector<double>{1, 1, 1, 1, 1, 1, 1, 1, 1e30f, 1e30f, 1e30f, 1e30f, 1e30f, 1e30f, 1e30f, 1e30f}));
}

// No GGUF key has the scale of the 27B models; the number of layers tells them.
TEST(SameModel, ScaleOfThe27BModels) {
  expectSame("gemma2", {{"block_count", 46u}, {"attention.head_count", 2u}}, "Gemma2ForCausalLM",
             {{"num_hidden_layers", 46}, {"num_attention_heads", 2}, {"query_pre_attn_scalar", 32}});
  expectSame("gemma3", {{"block_count", 62u}, {"attention.head_count", 2u}}, "Gemma3ForCausalLM",
             {{"num_hidden_layers", 62}, {"num_attention_heads", 2}, {"query_pre_attn_scalar", 32}});
}

} // namespace
} // namespace llcuda::models
