// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/hf_config.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "compiler/models/family_list.h"

namespace llcuda::models {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Json = nlohmann::json;

/// A small file of a class, with `more` added or in place of what is there.
Json file(const char* modelClass, const Json& more = Json::object()) {
  Json json = {{"architectures", {modelClass}}, {"num_hidden_layers", 4},   {"hidden_size", 64},
               {"intermediate_size", 96},       {"num_attention_heads", 4}, {"vocab_size", 100}};
  json.update(more);
  return json;
}

/// As read from a file: the numbers of C++ literals are all signed.
Result<HfConfig> readText(const Json& json) {
  return configFromHf(Json::parse(json.dump()));
}

HfConfig read(const Json& json) {
  const Result<HfConfig> config = readText(json);
  EXPECT_TRUE(config) << config.error().message;
  return config ? *config : HfConfig();
}

ModelConfig model(const char* modelClass, const Json& more = Json::object()) {
  return read(file(modelClass, more)).model;
}

std::vector<uint32_t> windowsOf(const ModelConfig& config) {
  std::vector<uint32_t> windows;
  for (const LayerConfig& layer : config.layers) windows.push_back(layer.window);
  return windows;
}

TEST(HfConfig, DefaultsAreTransformers) {
  const HfConfig llama = read(file("LlamaForCausalLM"));
  EXPECT_EQ(llama.model.family, &kLlama);
  EXPECT_EQ(llama.model.layers[0].kvHeads, 4u);
  EXPECT_EQ(llama.model.layers[0].headSize, 16u);
  EXPECT_EQ(llama.model.trainedContext, 2048u);
  EXPECT_EQ(llama.model.normEps, 1e-6);
  EXPECT_EQ(llama.model.normPlus, 0);
  EXPECT_EQ(llama.model.ropes[0].base, 10000);
  EXPECT_EQ(llama.model.ropes[0].dimensions, 16u);
  EXPECT_EQ(llama.model.pairOrder, PairOrder::kHalves);
  EXPECT_EQ(llama.model.layers[0].window, 0u);
  EXPECT_EQ(llama.model.embeddingScale, 1);
  EXPECT_FALSE(llama.tensors.tiedHead);
  EXPECT_EQ(model("Qwen3ForCausalLM").layers[0].headSize, 128u);
  EXPECT_EQ(model("Phi3ForCausalLM").normEps, 1e-5);
  EXPECT_EQ(model("SmolLM3ForCausalLM").ropes[0].base, 2e6);
}

// A null is a key that is not there.
TEST(HfConfig, NullsAreDefaults) {
  const ModelConfig config =
      model("LlamaForCausalLM", {{"head_dim", nullptr}, {"rope_scaling", nullptr}, {"num_key_value_heads", 2}});
  EXPECT_EQ(config.layers[0].headSize, 16u);
  EXPECT_EQ(config.layers[0].kvHeads, 2u);
}

TEST(HfConfig, FamiliesByClassOrType) {
  for (const auto& [modelClass, architecture] : std::map<const char*, const char*>{{"MistralForCausalLM", "llama"},
                                                                                   {"Qwen2ForCausalLM", "qwen2"},
                                                                                   {"Qwen3ForCausalLM", "qwen3"},
                                                                                   {"GemmaForCausalLM", "gemma"},
                                                                                   {"Gemma2ForCausalLM", "gemma2"},
                                                                                   {"Gemma3ForCausalLM", "gemma3"},
                                                                                   {"Phi3ForCausalLM", "phi3"},
                                                                                   {"SmolLM3ForCausalLM", "smollm3"}})
    EXPECT_EQ(model(modelClass, {{"num_key_value_heads", 2}}).family->architecture, architecture);
  Json byType = file("", {{"model_type", "gemma3_text"}});
  byType.erase("architectures");
  EXPECT_EQ(read(byType).model.family, &kGemma3);
}

// The sizes that small Gemma 3 files leave out, text and vision in one file, and two ropes.
TEST(HfConfig, Gemma3WithVision) {
  const Json text = {{"model_type", "gemma3_text"}, {"hidden_size", 640},
                     {"intermediate_size", 2048},   {"num_hidden_layers", 7},
                     {"sliding_window", 1024},      {"rope_scaling", {{"factor", 8.0}, {"rope_type", "linear"}}}};
  const HfConfig config = read({{"architectures", {"Gemma3ForConditionalGeneration"}},
                                {"model_type", "gemma3"},
                                {"torch_dtype", "bfloat16"},
                                {"text_config", text},
                                {"vision_config", {{"hidden_size", 1152}}}});
  const ModelConfig& model = config.model;
  EXPECT_EQ(model.layers[0].heads, 8u);
  EXPECT_EQ(model.layers[0].kvHeads, 4u);
  EXPECT_EQ(model.layers[0].headSize, 256u);
  EXPECT_EQ(model.trainedContext, 131072u);
  EXPECT_EQ(model.vocabulary, 262208u);
  EXPECT_EQ(model.activation, Activation::kGeluTanh);
  EXPECT_EQ(model.normPlus, 1);
  EXPECT_EQ(model.embeddingScale, 25.25) << "the square root of 640 in bfloat16";
  EXPECT_EQ(model.attentionScale, 1. / 16);
  EXPECT_EQ(model.ropes[0].base, 1e6);
  EXPECT_EQ(model.ropes[0].scaling, RopeScaling::kLinear);
  EXPECT_EQ(model.ropes[0].factor, 8);
  EXPECT_EQ(model.ropes[1].base, 10000);
  EXPECT_EQ(model.ropes[1].scaling, RopeScaling::kNone);
  EXPECT_THAT(windowsOf(model), ElementsAre(1024, 1024, 1024, 1024, 1024, 0, 1024));
  EXPECT_EQ(model.logitSoftcap, 0);
  EXPECT_TRUE(config.tensors.tiedHead);
  EXPECT_EQ(config.tensors.naming.layer.data(), kGemma3.tensors.data());
}

// transformers 5 has the ropes of both kinds of layers in rope_parameters, and the type as dtype.
TEST(HfConfig, RopeParametersOfEachKindOfLayer) {
  const Json ropes = {{"full_attention", {{"rope_type", "linear"}, {"factor", 4}, {"rope_theta", 5e5}}},
                      {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 20000}}}};
  const ModelConfig config =
      model("Gemma3ForCausalLM",
            {{"rope_parameters", ropes}, {"dtype", "float32"}, {"head_dim", 16}, {"num_hidden_layers", 6}});
  EXPECT_EQ(config.ropes[0].base, 5e5);
  EXPECT_EQ(config.ropes[0].factor, 4);
  EXPECT_EQ(config.ropes[1].base, 20000);
  EXPECT_EQ(config.ropes[1].scaling, RopeScaling::kNone);
  EXPECT_EQ(config.embeddingScale, 8);
}

TEST(HfConfig, EmbeddingScaleIsRoundedToTheType) {
  const auto scale = [](const char* type) {
    return model("GemmaForCausalLM", {{"hidden_size", 2304}, {"num_attention_heads", 8}, {"torch_dtype", type}})
        .embeddingScale;
  };
  EXPECT_EQ(scale("float32"), 48);
  const auto of640 = [](const char* type) {
    return model("GemmaForCausalLM", {{"hidden_size", 640}, {"torch_dtype", type}}).embeddingScale;
  };
  EXPECT_EQ(of640("float32"), std::sqrt(640.f));
  EXPECT_EQ(of640("float16"), 25.296875);
}

TEST(HfConfig, Gemma2CapsAndLayers) {
  const ModelConfig usual = model("Gemma2ForCausalLM");
  EXPECT_EQ(usual.attentionSoftcap, 50);
  EXPECT_EQ(usual.logitSoftcap, 30);
  EXPECT_THAT(windowsOf(usual), ElementsAre(4096, 0, 4096, 0));
  const ModelConfig told =
      model("Gemma2ForCausalLM",
            {{"attn_logit_softcapping", nullptr},
             {"query_pre_attn_scalar", 144},
             {"layer_types", {"full_attention", "sliding_attention", "sliding_attention", "full_attention"}}});
  EXPECT_EQ(told.attentionSoftcap, 0);
  EXPECT_EQ(told.attentionScale, 1. / 12);
  EXPECT_THAT(windowsOf(told), ElementsAre(0, 4096, 4096, 0));
}

TEST(HfConfig, Windows) {
  const auto windows = [](const char* modelClass, Json more) {
    more["num_key_value_heads"] = 2;
    return windowsOf(model(modelClass, more));
  };
  EXPECT_THAT(windows("MistralForCausalLM", Json::object()), ElementsAre(4096, 4096, 4096, 4096));
  EXPECT_THAT(windows("MistralForCausalLM", {{"sliding_window", nullptr}}), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(windows("Phi3ForCausalLM", {{"sliding_window", 2047}}), ElementsAre(2047, 2047, 2047, 2047));
  Json qwen = {{"sliding_window", 32}, {"max_window_layers", 3}};
  EXPECT_THAT(windows("Qwen2ForCausalLM", qwen), ElementsAre(0, 0, 0, 0));
  qwen["use_sliding_window"] = true;
  EXPECT_THAT(windows("Qwen2ForCausalLM", qwen), ElementsAre(0, 0, 0, 32));
}

TEST(HfConfig, LayersWithoutRope) {
  const auto ropes = [](const Json& more) {
    std::vector<uint32_t> ropes;
    for (const LayerConfig& layer : model("SmolLM3ForCausalLM", more).layers) ropes.push_back(layer.rope);
    return ropes;
  };
  constexpr uint32_t kNone = LayerConfig::kNoRope;
  EXPECT_THAT(ropes(Json::object()), ElementsAre(0, 0, 0, kNone));
  EXPECT_THAT(ropes({{"no_rope_layer_interval", 2}}), ElementsAre(0, kNone, 0, kNone));
  EXPECT_THAT(ropes({{"no_rope_layers", {0, 1, 1, 0}}}), ElementsAre(kNone, 0, 0, kNone));
}

RopeConfig rope(const Json& scaling, const char* key = "rope_scaling", const char* modelClass = "LlamaForCausalLM") {
  return model(modelClass, {{key, scaling}, {"max_position_embeddings", 32768}}).ropes[0];
}

TEST(HfConfig, Llama3Rope) {
  const Json scaling = {{"rope_type", "llama3"},  {"factor", 32.0},
                        {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0},
                        {"rope_theta", 500000.0}, {"original_max_position_embeddings", 8192}};
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const RopeConfig config = rope(scaling, key);
    EXPECT_EQ(config.scaling, RopeScaling::kLlama3);
    EXPECT_EQ(config.base, 5e5);
    EXPECT_EQ(config.factor, 32);
    EXPECT_EQ(config.originalContext, 8192u);
    EXPECT_EQ(config.highFrequencyFactor, 4);
  }
}

TEST(HfConfig, YarnRope) {
  const RopeConfig config = rope({{"type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 8192}});
  EXPECT_EQ(config.scaling, RopeScaling::kYarn);
  EXPECT_EQ(config.attentionFactor, 0);
  EXPECT_EQ(config.betaFast, 32);
  EXPECT_TRUE(config.truncated);
  EXPECT_FALSE(rope({{"type", "yarn"}, {"factor", 4.0}, {"truncate", false}}).truncated);
  const RopeConfig told = rope({{"type", "yarn"}, {"factor", 4.0}, {"mscale", 1.0}, {"mscale_all_dim", 1.0}});
  EXPECT_EQ(told.attentionFactor, 1);
  EXPECT_EQ(told.originalContext, 32768u);
}

TEST(HfConfig, LongRopeOfPhi) {
  const Json scaling = {{"type", "su"}, {"short_factor", {1.0, 1.5}}, {"long_factor", {2, 4}}};
  const Json more = {{"rope_scaling", scaling},
                     {"max_position_embeddings", 131072},
                     {"original_max_position_embeddings", 4096},
                     {"partial_rotary_factor", 0.25}};
  const RopeConfig config = model("Phi3ForCausalLM", more).ropes[0];
  EXPECT_EQ(config.scaling, RopeScaling::kLongRope);
  EXPECT_EQ(config.dimensions, 4u);
  EXPECT_EQ(config.factor, 32);
  EXPECT_EQ(config.originalContext, 4096u);
  EXPECT_THAT(config.shortFactors, ElementsAre(1, 1.5));
  EXPECT_THAT(config.longFactors, ElementsAre(2, 4));
}

TEST(HfConfig, LlcudaKeys) {
  const auto quantize = [](const Json& more) { return read(file("LlamaForCausalLM", more)).quantize; };
  EXPECT_EQ(quantize(Json::object()), "");
  EXPECT_EQ(quantize({{"_llcuda_quantization", "nf4"}, {"_llcuda_version", "3.0.0"}}), "nf4");
  EXPECT_EQ(quantize({{"_llcuda_quantization", "nf4"}, {"_llcuda_version", "2.0.0"}}), "nf4");
  EXPECT_EQ(quantize({{"_llcuda_quantization", "gguf:Q4_K_M"}}), "q4_k_m");
  EXPECT_EQ(quantize({{"_llcuda_quantization", "fp16"}}), "f16");
  const Json fourBit = {{"quant_method", "bitsandbytes"}, {"load_in_4bit", true}};
  EXPECT_EQ(quantize({{"quantization_config", fourBit}}), "");
  EXPECT_EQ(quantize({{"quantization_config", fourBit}, {"_llcuda_quantization", "nf4"}}), "");
}

void expectError(const Json& json, ErrorCode code, const std::string& message) {
  const Result<HfConfig> config = readText(json);
  ASSERT_FALSE(config) << message;
  EXPECT_EQ(config.error().message, message);
  EXPECT_EQ(config.error().code, code);
}

// What a file may not say: each key by name.
TEST(HfConfig, RefusesByName) {
  constexpr ErrorCode bad = ErrorCode::kBadInput;
  const auto refused = [](const Json& more, const std::string& message, const char* modelClass = "LlamaForCausalLM") {
    expectError(file(modelClass, more), bad, message);
  };
  expectError(Json::array(), bad, "is not a JSON object");
  expectError(Json::object(), bad, "has neither architectures nor a model_type");
  refused({{"architectures", "LlamaForCausalLM"}}, "architectures is not a list of names");
  for (const char* key :
       {"num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads", "vocab_size"}) {
    Json without = file("LlamaForCausalLM");
    without.erase(key);
    expectError(without, bad, std::string("has no ") + key);
    refused({{key, "4"}}, std::string(key) + " is not a whole number of at least 0");
    refused({{key, -1}}, std::string(key) + " is not a whole number of at least 0");
  }
  refused({{"num_hidden_layers", 513}}, "num_hidden_layers is 513, outside 1 to 512");
  refused({{"num_attention_heads", 0}}, "num_attention_heads is 0, outside 1 to 4096");
  refused({{"num_attention_heads", 5}}, "a hidden_size of 64 cannot be split into 5 heads");
  refused({{"num_key_value_heads", 3}}, "4 heads cannot share 3 kv heads evenly");
  refused({{"head_dim", 15}}, "4 heads of 15 elements: head sizes are even and all heads together at most 1048576");
  refused({{"rms_norm_eps", 2}}, "the epsilon of the norms is 2, outside 0 to 1");
  refused({{"rope_theta", 1}}, "the base of the rope is 1, it must be above 1");
  refused({{"rope_scaling", 8}}, "rope_scaling is not an object");
  refused({{"rope_scaling", {{"type", "linear"}}}}, "the rope has no factor");
  refused({{"rope_scaling", {{"type", "linear"}, {"factor", 0}}}}, "factor is 0, it must be above 0");
  refused({{"rope_scaling", {{"type", "llama3"}, {"factor", 8}}}}, "the llama3 rope has no low_freq_factor");
  refused({{"rope_scaling", {{"type", "longrope"}, {"long_factor", {1}}, {"short_factor", {1}}}}},
          "short_factor is not a list of 8 values");
  refused({{"partial_rotary_factor", 2}}, "partial_rotary_factor is 2, at most 1");
  refused({{"tie_word_embeddings", "yes"}}, "tie_word_embeddings is not true or false");
  refused({{"text_config", 1}}, "text_config is not an object");
  refused({{"layer_types", {"full_attention"}}, {"sliding_window", 8}}, "layer_types is not a list of 4 values",
          "Gemma2ForCausalLM");
  refused({{"_llcuda_version", "new"}}, "_llcuda_version is 'new', not a version like 3.0.0");
  refused(
      {{"_llcuda_quantization", "fp16"}, {"quantization_config", {{"load_in_4bit", true}}}},
      "_llcuda_quantization is 'fp16', but quantization_config says that the weights are in 4 bits already; take one "
      "of them out");
}

TEST(HfConfig, SaysWhatIsNotSupported) {
  const auto unsupported = [](const Json& more, const std::string& message) {
    expectError(file("LlamaForCausalLM", more), ErrorCode::kUnsupported, message);
  };
  const Result<HfConfig> other = configFromHf(file("MambaForCausalLM"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(other.error().message, HasSubstr("the architecture 'MambaForCausalLM' is not supported: Mamba needs "
                                               "states of a Mamba mixer; supported: Llama"));
  unsupported({{"hidden_act", "relu"}}, "the activation 'relu' is not supported");
  const Json types = {"full_attention", "conv", "full_attention", "full_attention"};
  unsupported({{"layer_types", types}}, "layer 1 is a convolution: only layers of attention are supported");
  unsupported({{"layer_types", {"full_attention", "full_attention", "full_attention", "linear_attention"}}},
              "layer 3 is recurrent: only layers of attention are supported");
  unsupported({{"num_local_experts", 8}}, "num_local_experts is 8; mixtures of experts are not supported");
  unsupported(
      {{"rope_scaling", {{"type", "dynamic"}, {"factor", 2}}}},
      "a rope of type 'dynamic' is not supported; default, proportional, linear, llama3, yarn and longrope are");
  unsupported(
      {{"quantization_config", {{"quant_method", "gptq"}}}},
      "the weights are quantised by 'gptq', which is not supported; save the model in 16 bits or by bitsandbytes");
  unsupported({{"_llcuda_quantization", "int3"}},
              "_llcuda_quantization is 'int3'; nf4, fp16 and gguf:<type> are supported");
  unsupported({{"_llcuda_version", "99.0"}}, "_llcuda_version is 99.0, and this is llcuda 3.0.0; use a newer one");
}

// transformers does not divide by the sum unless the file says so.
TEST(HfConfig, Experts) {
  const ModelConfig config = read(file("Qwen3MoeForCausalLM")).model;
  EXPECT_EQ(config.layers[3].experts, (ExpertsConfig{128, 8, 768, false}));
  const Json stated = {{"num_experts", 16},
                       {"num_experts_per_tok", 4},
                       {"num_key_value_heads", 2},
                       {"moe_intermediate_size", 64},
                       {"norm_topk_prob", true},
                       {"decoder_sparse_step", 1},
                       {"mlp_only_layers", Json::array()}};
  EXPECT_EQ(read(file("Qwen3MoeForCausalLM", stated)).model.layers[0].experts, (ExpertsConfig{16, 4, 64, true}));
  EXPECT_EQ(read(file("LlamaForCausalLM")).model.layers[0].experts, ExpertsConfig());
  const auto refused = [](const Json& more, ErrorCode code, const std::string& message) {
    expectError(file("Qwen3MoeForCausalLM", more), code, message);
  };
  refused({{"mlp_only_layers", {0}}}, ErrorCode::kUnsupported,
          "mlp_only_layers is not empty; only models all of whose layers have experts are supported");
  refused({{"decoder_sparse_step", 2}}, ErrorCode::kUnsupported,
          "decoder_sparse_step is 2; only models all of whose layers have experts are supported");
  refused({{"num_experts_per_tok", 129}}, ErrorCode::kBadInput, "num_experts_per_tok is 129, outside 1 to 128");
  refused({{"num_experts_per_tok", 0}}, ErrorCode::kBadInput, "num_experts_per_tok is 0, outside 1 to 128");
  refused({{"num_experts", 1025}}, ErrorCode::kBadInput, "num_experts is 1025, outside 1 to 1024");
  refused({{"norm_topk_prob", 3}}, ErrorCode::kBadInput, "norm_topk_prob is not true or false");
}

/// The message of a file that is not read.
std::string refusal(const Json& json) {
  const Result<HfConfig> config = readText(json);
  EXPECT_FALSE(config);
  return config ? "" : config.error().message;
}

// As the files of gpt-oss 20B say it: of 32 experts 4, a window on every other layer, yarn without rounding.
TEST(HfConfig, GptOss) {
  const Json gptOss =
      file("GptOssForCausalLM",
           {{"num_local_experts", 32},
            {"num_experts_per_tok", 4},
            {"num_key_value_heads", 2},
            {"intermediate_size", 96},
            {"hidden_act", "silu"},
            {"sliding_window", 16},
            {"layer_types", {"sliding_attention", "full_attention", "sliding_attention", "full_attention"}},
            {"rope_scaling",
             {{"rope_type", "yarn"},
              {"factor", 32},
              {"beta_fast", 32},
              {"beta_slow", 1},
              {"truncate", false},
              {"original_max_position_embeddings", 16}}},
            {"quantization_config", {{"quant_method", "mxfp4"}}}});
  const HfConfig config = read(gptOss);
  EXPECT_THAT(windowsOf(config.model), ElementsAre(16, 0, 16, 0));
  EXPECT_EQ(config.model.layers[0].experts.count, 32u);
  EXPECT_EQ(config.model.layers[0].experts.used, 4u);
  EXPECT_EQ(config.model.layers[0].experts.feedForward, 96u);
  EXPECT_TRUE(config.model.layers[0].experts.normalized);
  EXPECT_EQ(config.model.activation, Activation::kSwigluOai) << "whatever hidden_act says";
  EXPECT_FALSE(config.model.ropes[0].truncated);
  EXPECT_TRUE(config.tensors.naming.expertsByTurns);
  EXPECT_EQ(config.quantize, "");
  Json none = gptOss;
  none.erase("num_local_experts");
  EXPECT_THAT(refusal(none), HasSubstr("has no num_local_experts"));
}

// The names of kinds of layers before and since version 5.
TEST(HfConfig, LayerTypesOfBothSpellings) {
  const Json dense = {{"num_local_experts", 0}, {"position_embedding_type", "rope"}};
  const auto granite = [&](const char* kind) {
    return file("GraniteMoeHybridForCausalLM", {{"num_local_experts", 0},
                                                {"position_embedding_type", "rope"},
                                                {"shared_intermediate_size", 48},
                                                {"layer_types", {kind, kind, kind, kind}}});
  };
  for (const char* kind : {"attention", "full_attention"}) {
    const ModelConfig config = read(granite(kind)).model;
    EXPECT_EQ(config.layers[3].kind, LayerKind::kAttention) << kind;
    EXPECT_EQ(config.layers[3].rope, 0u) << kind;
    EXPECT_EQ(config.layers[3].feedForward, 48u) << "of the unit that experts would share";
  }
  for (const char* kind : {"mamba", "linear_attention"})
    EXPECT_THAT(refusal(granite(kind)), HasSubstr("layer 0 is recurrent")) << kind;
  EXPECT_THAT(refusal(file("GraniteMoeHybridForCausalLM", dense)), HasSubstr("layer 0 is recurrent"));
  EXPECT_THAT(refusal(file("GraniteMoeHybridForCausalLM")), HasSubstr("num_local_experts is 8; mixtures of experts"));
  Json unturned = granite("attention");
  unturned.erase("position_embedding_type");
  EXPECT_EQ(read(unturned).model.layers[0].rope, LayerConfig::kNoRope);
}

// Which layers are convolutions, in files of both spellings, and the units that transformers makes of those stated.
TEST(HfConfig, Lfm2) {
  ModelConfig config = model("Lfm2ForCausalLM", {{"full_attn_idxs", {1, 3}}, {"num_key_value_heads", 2}});
  EXPECT_EQ(config.layers[0].kind, LayerKind::kConvolution);
  EXPECT_EQ(config.layers[3].kind, LayerKind::kAttention);
  EXPECT_EQ(config.layers[0].feedForward, 256u) << "two thirds of 96, up to a whole multiple";
  EXPECT_EQ(config.convolutionTaps, 3u);
  EXPECT_EQ(config.normEps, 1e-5);
  EXPECT_EQ(config.ropes[0].base, 1e6);
  config = model("Lfm2ForCausalLM", {{"layer_types", {"conv", "conv", "full_attention", "conv"}},
                                     {"num_key_value_heads", 4},
                                     {"block_ff_dim", 1500},
                                     {"block_multiple_of", 100},
                                     {"block_ffn_dim_multiplier", 1.5}});
  EXPECT_EQ(config.layers[2].kind, LayerKind::kAttention);
  EXPECT_EQ(config.layers[0].feedForward, 1500u);
  config = model("Lfm2ForCausalLM", {{"block_auto_adjust_ff_dim", false}, {"num_key_value_heads", 4}});
  EXPECT_EQ(config.layers[0].feedForward, 96u);
  EXPECT_EQ(config.layers[0].kind, LayerKind::kAttention);
  const auto message = [](Json more) {
    more["num_key_value_heads"] = 4;
    return refusal(file("Lfm2ForCausalLM", more));
  };
  EXPECT_EQ(message({{"full_attn_idxs", {4}}}), "full_attn_idxs names what is no layer of 4");
  EXPECT_EQ(message({{"full_attn_idxs", 1}}), "full_attn_idxs is not a list of layers");
  EXPECT_EQ(message({{"full_attn_idxs", Json::array()}}),
            "no layer has attention; models that have it in none are not supported");
  EXPECT_EQ(message({{"conv_L_cache", 1}}), "conv_L_cache is 1, outside 2 to 8");
  EXPECT_EQ(message({{"block_multiple_of", 0}}), "block_multiple_of is 0, outside 1 to 1048576");
  EXPECT_EQ(message({{"block_ffn_dim_multiplier", 1e30}}),
            "block_ffn_dim_multiplier is 1e+30, which makes the feed-forward wider than 1048576");
  EXPECT_EQ(message({{"layer_types", {"conv", "linear_attention", "conv", "full_attention"}}}),
            "layer 1 is recurrent: only layers of attention and of convolutions are supported");
}

// Value heads stand in the order of files of torch, whose rates are logarithms and whose norms lack 1.
TEST(HfConfig, Qwen35) {
  const ModelConfig config = model("Qwen3_5ForCausalLM");
  EXPECT_EQ(config.layers[2].kind, LayerKind::kRecurrent);
  EXPECT_EQ(config.layers[3].kind, LayerKind::kAttention);
  EXPECT_EQ(config.delta, (DeltaConfig{16, 32, 128, true, true}));
  EXPECT_EQ(config.ropes[0].dimensions, 64u);
  EXPECT_EQ(config.normPlus, 1);
  EXPECT_EQ(model("Qwen3_5ForCausalLM",
                  {{"layer_types", {"full_attention", "linear_attention", "linear_attention", "linear_attention"}}})
                .layers[0]
                .kind,
            LayerKind::kAttention);
  EXPECT_EQ(refusal(file("Qwen3_5ForCausalLM", {{"linear_value_head_dim", 64}})),
            "linear_value_head_dim is 64, but keys have 128 elements: only values of the same size are supported");
  EXPECT_EQ(refusal(file("Qwen3_5ForCausalLM", {{"linear_num_value_heads", 24}})),
            "24 value heads cannot share 16 key heads evenly");
  EXPECT_EQ(refusal(file("Qwen3_5ForCausalLM", {{"num_experts", 8}})),
            "num_experts is 8; mixtures of experts are not supported");
}

// Three of four layers have the window, and rope scaling is for the fourth, in files of version 4 and of 5.
TEST(HfConfig, Olmo3) {
  const Json scaling = {{"rope_type", "yarn"}, {"factor", 4}, {"original_max_position_embeddings", 64}};
  Json full = scaling, local = {{"rope_type", "default"}, {"rope_theta", 5e4}};
  full["rope_theta"] = 5e4;
  for (const Json& more : {Json{{"rope_theta", 5e4}, {"rope_scaling", scaling}},
                           Json{{"rope_parameters", {{"full_attention", full}, {"sliding_attention", local}}}}}) {
    const ModelConfig config = model("Olmo3ForCausalLM", more);
    EXPECT_THAT(windowsOf(config), ElementsAre(4096, 4096, 4096, 0));
    ASSERT_EQ(config.ropes.size(), 2u);
    EXPECT_EQ(config.ropes[config.layers[3].rope].scaling, RopeScaling::kYarn);
    EXPECT_EQ(config.ropes[config.layers[0].rope].scaling, RopeScaling::kNone);
    EXPECT_EQ(config.ropes[config.layers[0].rope].base, 5e4);
  }
}

// As the files of Qwen 2 VL say it: flat, with a rope of several axes.
TEST(HfConfig, AxesOfMropeTurnAlike) {
  const ModelConfig config =
      model("Qwen2VLForConditionalGeneration", {{"rope_scaling", {{"type", "mrope"}, {"mrope_section", {2, 3, 3}}}},
                                                {"vision_config", {{"hidden_size", 32}}}});
  EXPECT_EQ(config.ropes[0].scaling, RopeScaling::kNone);
  EXPECT_EQ(config.ropes[0].base, 1e6);
  EXPECT_EQ(config.family, &kQwen2Vl);
}

TEST(HfConfig, RowsOfErnieAreInTheOrderOfGguf) {
  EXPECT_EQ(model("Ernie4_5ForCausalLM", {{"num_key_value_heads", 2}}).pairOrder, PairOrder::kAdjacent);
  EXPECT_EQ(model("PaddleOCRVLForConditionalGeneration").pairOrder, PairOrder::kHalves);
  EXPECT_TRUE(read(file("Ernie4_5ForCausalLM")).tensors.tiedHead) << "as of a file that does not say";
}

TEST(HfConfig, GrowthNeedsWholeHeadsThatTurn) {
  EXPECT_THAT(refusal(file("Ministral3ForCausalLM", {{"max_position_embeddings", 256},
                                                     {"partial_rotary_factor", 0.5},
                                                     {"rope_parameters", {{"llama_4_scaling_beta", 0.1}}}})),
              HasSubstr("the queries of layer 0 grow with the position, which is supported where whole heads turn"));
}

} // namespace
} // namespace llcuda::models
