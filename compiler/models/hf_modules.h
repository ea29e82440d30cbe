// SPDX-License-Identifier: Apache-2.0
// The modules of a layer in Hugging Face files, in groups that families put together.
#pragma once

#include <array>

#include "compiler/ingest/hf_names.h"

namespace llcuda::models {

using ingest::HfModule;

template <size_t... kCounts>
constexpr auto joined(const std::array<HfModule, kCounts>&... groups) {
  std::array<HfModule, (kCounts + ...)> all;
  size_t next = 0;
  const auto append = [&](const auto& group) {
    for (const HfModule& module : group) all[next++] = module;
  };
  (append(groups), ...);
  return all;
}

inline constexpr std::array<HfModule, 5> kAttentionLinears = {{{"input_layernorm", "attn_norm"},
                                                               {"self_attn.q_proj", "attn_q"},
                                                               {"self_attn.k_proj", "attn_k"},
                                                               {"self_attn.v_proj", "attn_v"},
                                                               {"self_attn.o_proj", "attn_output"}}};
inline constexpr std::array<HfModule, 3> kFeedForward = {
    {{"mlp.gate_proj", "ffn_gate"}, {"mlp.up_proj", "ffn_up"}, {"mlp.down_proj", "ffn_down"}}};
/// A `*` in both names stands for the number of an expert.
inline constexpr std::array<HfModule, 4> kExpertLinears = {{{"mlp.gate", "ffn_gate_inp"},
                                                            {"mlp.experts.*.gate_proj", "ffn_gate.*"},
                                                            {"mlp.experts.*.up_proj", "ffn_up.*"},
                                                            {"mlp.experts.*.down_proj", "ffn_down.*"}}};
/// The same in newer files: compiler/ingest/folded_experts.h.
inline constexpr std::array<HfModule, 2> kFoldedExperts = {
    {{"mlp.experts.gate_up_proj", "ffn_gate_up_exps", true}, {"mlp.experts.down_proj", "ffn_down_exps", true}}};
inline constexpr std::array<HfModule, 1> kPreNorm = {{{"post_attention_layernorm", "ffn_norm"}}};
inline constexpr std::array<HfModule, 3> kSandwichNorms = {{{"post_attention_layernorm", "post_attention_norm"},
                                                            {"pre_feedforward_layernorm", "ffn_norm"},
                                                            {"post_feedforward_layernorm", "post_ffw_norm"}}};
inline constexpr std::array<HfModule, 2> kPostNorms = {
    {{"post_attention_layernorm", "post_attention_norm"}, {"post_feedforward_layernorm", "post_ffw_norm"}}};
inline constexpr std::array<HfModule, 2> kHeadNorms = {
    {{"self_attn.q_norm", "attn_q_norm"}, {"self_attn.k_norm", "attn_k_norm"}}};
inline constexpr std::array<HfModule, 2> kFusedLinears = {
    {{"self_attn.qkv_proj", "attn_qkv"}, {"mlp.gate_up_proj", "ffn_up"}}};

inline constexpr auto kLinears = joined(kAttentionLinears, kFeedForward);
inline constexpr auto kLlamaModules = joined(kLinears, kPreNorm);

} // namespace llcuda::models
