// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/hf_names.h"

#include <gtest/gtest.h>

#include "compiler/models/hf_modules.h"

namespace llcuda::ingest {
namespace {

using Kind = HfName::Kind;

constexpr auto kGemmaModules = models::joined(models::kLinears, models::kSandwichNorms, models::kHeadNorms);
constexpr auto kPhiModules = models::joined(models::kLlamaModules, models::kFusedLinears);
constexpr auto kExpertModules = models::joined(models::kAttentionLinears, models::kPreNorm, models::kExpertLinears);
constexpr HfNaming kLlama{models::kLlamaModules}, kGemma{kGemmaModules}, kPhi{kPhiModules}, kExperts{kExpertModules};

std::string gguf(std::string_view name, const HfNaming& naming = kLlama) {
  const HfName result = translateHfName(name, naming);
  return result.kind == Kind::kTensor ? result.gguf : "";
}

Kind kindOf(std::string_view name) {
  return translateHfName(name, kLlama).kind;
}

TEST(HfNames, TensorsOfALayer) {
  EXPECT_EQ(gguf("model.embed_tokens.weight"), "token_embd.weight");
  EXPECT_EQ(gguf("model.layers.0.input_layernorm.weight"), "blk.0.attn_norm.weight");
  EXPECT_EQ(gguf("model.layers.12.self_attn.q_proj.weight"), "blk.12.attn_q.weight");
  EXPECT_EQ(gguf("model.layers.12.self_attn.k_proj.bias"), "blk.12.attn_k.bias");
  EXPECT_EQ(gguf("model.layers.1.self_attn.v_proj.weight"), "blk.1.attn_v.weight");
  EXPECT_EQ(gguf("model.layers.1.self_attn.o_proj.weight"), "blk.1.attn_output.weight");
  EXPECT_EQ(gguf("model.layers.1.self_attn.q_norm.weight", kGemma), "blk.1.attn_q_norm.weight");
  EXPECT_EQ(gguf("model.layers.1.self_attn.k_norm.weight", kGemma), "blk.1.attn_k_norm.weight");
  EXPECT_EQ(gguf("model.layers.1.mlp.gate_proj.weight"), "blk.1.ffn_gate.weight");
  EXPECT_EQ(gguf("model.layers.1.mlp.up_proj.weight"), "blk.1.ffn_up.weight");
  EXPECT_EQ(gguf("model.layers.1.mlp.down_proj.weight"), "blk.1.ffn_down.weight");
  EXPECT_EQ(gguf("model.norm.weight"), "output_norm.weight");
  EXPECT_EQ(gguf("lm_head.weight"), "output.weight");
}

// One name for two places: what stands before the feed-forward of Llama stands behind the attention of Gemma 2.
TEST(HfNames, NormsBehindTheAttention) {
  EXPECT_EQ(gguf("model.layers.3.post_attention_layernorm.weight"), "blk.3.ffn_norm.weight");
  EXPECT_EQ(gguf("model.layers.3.post_attention_layernorm.weight", kGemma), "blk.3.post_attention_norm.weight");
  EXPECT_EQ(gguf("model.layers.3.pre_feedforward_layernorm.weight", kGemma), "blk.3.ffn_norm.weight");
  EXPECT_EQ(gguf("model.layers.3.post_feedforward_layernorm.weight", kGemma), "blk.3.post_ffw_norm.weight");
}

// What other families have in a layer is not part of this one.
TEST(HfNames, ModulesOfOtherFamilies) {
  for (const char* name : {"model.layers.0.self_attn.q_norm.weight", "model.layers.0.self_attn.qkv_proj.weight",
                           "model.layers.0.pre_feedforward_layernorm.weight"})
    EXPECT_EQ(kindOf(name), Kind::kUnknown) << name;
}

TEST(HfNames, FusedTensorsOfPhi) {
  EXPECT_EQ(gguf("model.layers.0.self_attn.qkv_proj.weight", kPhi), "blk.0.attn_qkv.weight");
  EXPECT_EQ(gguf("model.layers.0.mlp.gate_up_proj.weight", kPhi), "blk.0.ffn_up.weight");
}

// A tensor that is no module has no `.weight`, and a module is not found without one.
TEST(HfNames, TensorsByThemselves) {
  static constexpr HfModule kBoth[] = {{"layer_scalar", "layer_output_scale", /*isTensor=*/true},
                                       {"mlp.up_proj", "ffn_up"}};
  const HfNaming naming{kBoth};
  EXPECT_EQ(gguf("model.layers.2.layer_scalar", naming), "blk.2.layer_output_scale.weight");
  EXPECT_EQ(hfNameOf("blk.2.layer_output_scale.weight", naming, "model."), "model.layers.2.layer_scalar");
  for (const char* name : {"model.layers.2.layer_scalar.weight", "model.layers.2.mlp.up_proj", "model.norm"})
    EXPECT_EQ(gguf(name, naming), "") << name;
}

TEST(HfNames, TensorsOfAllLayers) {
  for (const auto& [hf, own] : {std::pair{"embed_tokens_per_layer", "per_layer_token_embd"},
                                std::pair{"per_layer_model_projection", "per_layer_model_proj"},
                                std::pair{"per_layer_projection_norm", "per_layer_proj_norm"}})
    EXPECT_EQ(gguf("model.language_model." + std::string(hf) + ".weight"), std::string(own) + ".weight");
}

// Each expert is a module of its own; the router's name is the beginning of a feed-forward's.
TEST(HfNames, Experts) {
  EXPECT_EQ(gguf("model.layers.3.mlp.gate.weight", kExperts), "blk.3.ffn_gate_inp.weight");
  EXPECT_EQ(gguf("model.layers.3.mlp.experts.0.gate_proj.weight", kExperts), "blk.3.ffn_gate.0.weight");
  EXPECT_EQ(gguf("model.layers.3.mlp.experts.127.down_proj.weight", kExperts), "blk.3.ffn_down.127.weight");
  EXPECT_EQ(translateHfName("model.layers.3.mlp.experts.7.up_proj.weight.absmax", kExperts).gguf,
            "blk.3.ffn_up.7.weight");
  for (const char* name :
       {"model.layers.3.mlp.experts.01.up_proj.weight", "model.layers.3.mlp.experts..up_proj.weight",
        "model.layers.3.mlp.experts.*.up_proj.weight", "model.layers.3.mlp.experts.99999.up_proj.weight",
        "model.layers.3.mlp.experts.1.other.weight", "model.layers.3.mlp.experts.1.weight",
        "model.layers.3.mlp.up_proj.weight"})
    EXPECT_EQ(translateHfName(name, kExperts).kind, Kind::kUnknown) << name;
  for (const char* name : {"model.layers.3.mlp.gate.weight", "model.layers.3.mlp.experts.12.up_proj.weight"})
    EXPECT_EQ(hfNameOf(gguf(name, kExperts), kExperts, "model."), name);
  EXPECT_EQ(hfNameOf("blk.3.ffn_up_exps.weight", kExperts, "model."), "blk.3.ffn_up_exps.weight");
}

// Experts in one tensor, which may be blocks with scales beside it; or modules whose names end with their numbers.
TEST(HfNames, FoldedExperts) {
  constexpr std::array<HfModule, 3> kModules = {{{"mlp.experts.gate_up_proj", "ffn_gate_up_exps_columns", true},
                                                 {"mlp.experts.gate_up_proj_blocks", "ffn_gate_up_exps", true},
                                                 {"mlp.experts.down_projs.*", "ffn_down.*"}}};
  const HfNaming naming{kModules};
  EXPECT_EQ(gguf("model.layers.3.mlp.experts.gate_up_proj", naming), "blk.3.ffn_gate_up_exps_columns.weight");
  EXPECT_EQ(gguf("model.layers.3.mlp.experts.gate_up_proj_blocks", naming), "blk.3.ffn_gate_up_exps.weight");
  EXPECT_EQ(gguf("model.layers.3.mlp.experts.down_projs.12.weight", naming), "blk.3.ffn_down.12.weight");
  EXPECT_EQ(gguf("model.layers.3.mlp.experts.down_projs.12.bias", naming), "blk.3.ffn_down.12.bias");
  const HfName scales = translateHfName("model.layers.3.mlp.experts.gate_up_proj_scales", naming);
  EXPECT_EQ(scales.kind, Kind::kCompanion);
  EXPECT_EQ(scales.gguf, "blk.3.ffn_gate_up_exps.weight");
  EXPECT_EQ(scales.part, "scales");
  for (const char* name :
       {"model.layers.3.mlp.experts.gate_up_proj.weight", "model.layers.3.mlp.experts.down_proj_scales",
        "model.layers.3.mlp.experts.down_projs.012.weight", "model.layers.3.mlp.experts.down_projs.weight"})
    EXPECT_EQ(translateHfName(name, naming).kind, Kind::kUnknown) << name;
  EXPECT_EQ(hfNameOf("blk.3.ffn_down.12.weight", naming, "model."), "model.layers.3.mlp.experts.down_projs.12.weight");
}

TEST(HfNames, TextPartOfAModelThatSees) {
  EXPECT_EQ(gguf("language_model.model.layers.0.mlp.up_proj.weight"), "blk.0.ffn_up.weight");
  EXPECT_EQ(gguf("model.language_model.layers.0.mlp.up_proj.weight"), "blk.0.ffn_up.weight");
  EXPECT_EQ(gguf("language_model.lm_head.weight"), "output.weight");
  EXPECT_EQ(kindOf("vision_tower.vision_model.embeddings.patch_embedding.weight"), Kind::kOtherPart);
  EXPECT_EQ(kindOf("model.multi_modal_projector.mm_soft_emb_norm.weight"), Kind::kOtherPart);
}

// A model that was saved without its head, to make embeddings.
TEST(HfNames, ModelWithoutAHead) {
  EXPECT_EQ(gguf("embed_tokens.weight"), "token_embd.weight");
  EXPECT_EQ(gguf("layers.12.self_attn.q_proj.weight"), "blk.12.attn_q.weight");
  EXPECT_EQ(gguf("norm.weight"), "output_norm.weight");
  EXPECT_EQ(hfNameOf("blk.12.attn_q.weight", kLlama, ""), "layers.12.self_attn.q_proj.weight");
}

// What messages call a tensor that the files lack.
TEST(HfNames, NamesOfTensorsThatAreMissing) {
  for (const char* name :
       {"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight", "model.layers.12.self_attn.q_proj.weight",
        "model.layers.0.self_attn.k_proj.bias", "model.layers.3.post_attention_layernorm.weight"})
    EXPECT_EQ(hfNameOf(gguf(name), kLlama, "model."), name);
  EXPECT_EQ(hfNameOf("blk.0.ffn_norm.weight", kGemma, "model."), "model.layers.0.pre_feedforward_layernorm.weight");
  EXPECT_EQ(hfNameOf("blk.0.attn_qkv.weight", kPhi, "model."), "model.layers.0.self_attn.qkv_proj.weight");
  EXPECT_EQ(hfNameOf("blk.7.ffn_up.weight", kLlama, "language_model.model."),
            "language_model.model.layers.7.mlp.up_proj.weight");
  for (const char* name : {"blk.0.attn_q_norm.weight", "rope_freqs.weight", "blk.x.ffn_up.weight", "blk.", ""})
    EXPECT_EQ(hfNameOf(name, kLlama, "model."), name);
}

TEST(HfNames, PartsOfQuantisedWeights) {
  const HfName state = translateHfName("model.layers.0.self_attn.q_proj.weight.quant_state.bitsandbytes__nf4", kLlama);
  EXPECT_EQ(state.kind, Kind::kCompanion);
  EXPECT_EQ(state.gguf, "blk.0.attn_q.weight");
  EXPECT_EQ(state.part, "quant_state.bitsandbytes__nf4");
  EXPECT_EQ(translateHfName("model.layers.0.mlp.up_proj.weight.nested_absmax", kLlama).part, "nested_absmax");
  const HfName scales = translateHfName("model.layers.0.mlp.up_proj.SCB", kLlama);
  EXPECT_EQ(scales.gguf, "blk.0.ffn_up.weight");
  EXPECT_EQ(scales.part, "SCB");
}

TEST(HfNames, WhatIsNotATensorOfTheModel) {
  EXPECT_EQ(kindOf("model.layers.0.self_attn.rotary_emb.inv_freq"), Kind::kDerived);
  for (const char* name :
       {"", "model.", "weight", "model.layers.0.mlp.experts.0.up_proj.weight", "model.layers.00.mlp.up_proj.weight",
        "model.layers.x.mlp.up_proj.weight", "model.layers.0", "model.layers.99999.mlp.up_proj.weight",
        "transformer.h.0.attn.weight", "model.layers.0.mlp.up_proj", "model.layers.0.mlp.up_proj.weight.other",
        "layers.0", "layers.00.mlp.up_proj.weight", "other.layers.0.mlp.up_proj.weight"})
    EXPECT_EQ(kindOf(name), Kind::kUnknown) << name;
}

} // namespace
} // namespace llcuda::ingest
