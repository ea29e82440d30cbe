# SPDX-License-Identifier: Apache-2.0
"""Tiny models with random weights, one of each family, the same ones as GGUF files and as Hugging Face folders.

    tiny_models.py OUT [--families llama,gemma3] [--types f32,q8_0] [--folders] [--context 64] [--predicting]

writes OUT/llama.f32.gguf, OUT/llama.q8_0.gguf, OUT/llama/config.json and so on; with --predicting GGUF files have one
block more, which predicts further tokens.

The matrices hold numbers that q8_0 and f32 both keep exactly, so a GGUF of either type and the folder are one model.
What the models answer is in families/*.json, made by make_family_goldens.py.
"""
import argparse
import json
import math
import pathlib
import struct

import gguf
import numpy as np

VOCABULARY, EMBEDDING, HEADS, KV_HEADS, HEAD_SIZE, FEED_FORWARD, CONTEXT = 160, 64, 4, 2, 32, 96, 64
EPSILON = 1e-5

# What is not said of a family is: two layers, a head of its own, no biases, whole heads turned, base 10000.
# `config` is of the Hugging Face folder, `text` of its text_config, which then has the model's numbers, `keys` of the
# GGUF file, without the architecture's name.
LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 32}
SHORT_FACTORS, LONG_FACTORS = [1.0 + 0.05 * i for i in range(12)], [1.0 + 0.4 * i for i in range(12)]
GEMMA4_ROPES = {"sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
                "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.25, "rope_theta": 1000000.0}}
GEMMA4_KEYS = {"attention.key_length": 64, "attention.value_length": 64, "attention.key_length_swa": 32,
               "attention.value_length_swa": 32, "rope.dimension_count": 64, "rope.dimension_count_swa": 32,
               "rope.freq_base": 1000000.0, "rope.freq_base_swa": 10000.0, "final_logit_softcapping": 4.0}
LFM2_MODULES = {"attn_norm": "operator_norm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
                "attn_v": "self_attn.v_proj", "attn_output": "self_attn.out_proj", "ffn_norm": "ffn_norm",
                "attn_q_norm": "self_attn.q_layernorm", "attn_k_norm": "self_attn.k_layernorm",
                "shortconv.in_proj": "conv.in_proj", "shortconv.conv": "conv.conv", "shortconv.out_proj": "conv.out_proj",
                "ffn_gate": "feed_forward.w1", "ffn_up": "feed_forward.w3", "ffn_down": "feed_forward.w2"}
DELTA_MODULES = {"attn_qkv": "in_proj_qkv", "attn_gate": "in_proj_z", "ssm_alpha": "in_proj_a",
                 "ssm_beta": "in_proj_b", "ssm_conv1d": "conv1d", "ssm_norm": "norm", "ssm_out": "out_proj"}
GEMMA4_DIVISORS = [1.0] * 8 + [1e30] * 24
FAMILIES = {
    "llama": {
        "architecture": "llama", "class": "LlamaForCausalLM", "model_type": "llama", "llama3": LLAMA3,
        "config": {"rope_theta": 10000.0, "rope_scaling": {"rope_type": "llama3", **LLAMA3}},
    },
    # Biases everywhere, and yarn.
    "llama_yarn": {
        "architecture": "llama", "class": "LlamaForCausalLM", "model_type": "llama",
        "biases": ("q", "k", "v", "o", "gate", "up", "down"),
        "config": {"attention_bias": True, "mlp_bias": True, "rope_parameters": {
            "rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 16}},
        "keys": {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.scaling.original_context_length": 16},
    },
    "mistral": {
        "architecture": "llama", "class": "MistralForCausalLM", "model_type": "mistral",
        "config": {"sliding_window": None, "rope_theta": 10000.0, "rope_scaling": {"type": "linear", "factor": 2.0}},
        "keys": {"rope.scaling.type": "linear", "rope.scaling.factor": 2.0},
    },
    "smollm3": {
        "architecture": "smollm3", "class": "SmolLM3ForCausalLM", "model_type": "smollm3", "layers": 4, "tied": True,
        "config": {"no_rope_layers": [1, 1, 1, 0], "no_rope_layer_interval": 4, "rope_theta": 10000.0,
                   "use_sliding_window": False, "pad_token_id": 0},
    },
    # Four scales; the scores' is not that of the head size.
    "granite": {
        "architecture": "granite", "class": "GraniteForCausalLM", "model_type": "granite", "tied": True,
        "config": {"embedding_multiplier": 12.0, "residual_multiplier": 0.22, "attention_multiplier": 0.0625,
                   "logits_scaling": 8.0, "rope_theta": 10000.0},
        "keys": {"embedding_scale": 12.0, "residual_scale": 0.22, "attention.scale": 0.0625, "logit_scale": 8.0},
    },
    "granite_moe": {
        "architecture": "granitemoe", "class": "GraniteMoeForCausalLM", "model_type": "granitemoe", "tied": True,
        "experts": (8, 2, 32), "head_size": 16,
        "config": {"num_local_experts": 8, "intermediate_size": 32, "embedding_multiplier": 12.0, "head_dim": None,
                   "residual_multiplier": 0.22, "attention_multiplier": 0.0625, "logits_scaling": 8.0,
                   "rope_theta": 10000.0},
        "keys": {"feed_forward_length": 32, "expert_feed_forward_length": None, "embedding_scale": 12.0,
                 "residual_scale": 0.22, "attention.scale": 0.0625, "logit_scale": 8.0},
    },
    # The linears of the unit that experts would share; `position_embedding_type` says that layers turn.
    "granite4": {
        "architecture": "granite", "class": "GraniteMoeHybridForCausalLM", "model_type": "granitemoehybrid",
        "tied": True, "shared_unit": True,
        "config": {"embedding_multiplier": 12.0, "residual_multiplier": 0.22, "attention_multiplier": 0.0625,
                   "logits_scaling": 8.0, "rope_theta": 10000.0, "num_local_experts": 0, "num_experts_per_tok": 0,
                   "shared_intermediate_size": FEED_FORWARD, "position_embedding_type": "rope",
                   "layer_types": ["attention", "attention"], "mamba_n_heads": 4, "mamba_d_head": 32, "head_dim": None},
        "head_size": 16,
        "keys": {"embedding_scale": 12.0, "residual_scale": 0.22, "attention.scale": 0.0625, "logit_scale": 8.0},
    },
    "qwen2": {
        "architecture": "qwen2", "class": "Qwen2ForCausalLM", "model_type": "qwen2", "tied": True,
        "biases": ("q", "k", "v"), "config": {"rope_theta": 10000.0, "use_sliding_window": False},
    },
    "qwen3": {
        "architecture": "qwen3", "class": "Qwen3ForCausalLM", "model_type": "qwen3", "head_norms": True,
        "config": {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}, "use_sliding_window": False},
    },
    # As sentence-transformers saves it: without a head and without `model.`, with modules behind it.
    "qwen3_embedding": {
        "architecture": "qwen3", "class": "Qwen3ForCausalLM", "model_type": "qwen3", "head_norms": True, "tied": True,
        "prefix": "", "pooling": "lasttoken",
        "config": {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}, "use_sliding_window": False},
        "keys": {"pooling_type": 3},
    },
    # Of 8 experts a row takes 2, by weights that add up to 1.
    "qwen3moe": {
        "architecture": "qwen3moe", "class": "Qwen3MoeForCausalLM", "model_type": "qwen3_moe", "head_norms": True,
        "experts": (8, 2, 32),
        "config": {"rope_theta": 10000.0, "use_sliding_window": False, "norm_topk_prob": True,
                   "decoder_sparse_step": 1, "mlp_only_layers": []},
    },
    # The text part of models that see, as their folders hold it.
    "qwen2vl": {
        "architecture": "qwen2vl", "class": "Qwen2_5_VLForConditionalGeneration", "model_type": "qwen2_5_vl",
        "biases": ("q", "k", "v"), "head_size": 16, "prefix": "model.", "vision": "visual.",
        "config": {"vision_config": {"depth": 1, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2,
                                     "out_hidden_size": EMBEDDING, "patch_size": 4, "fullatt_block_indexes": [0]}},
        "text": {"model_type": "qwen2_5_vl_text", "rope_theta": 1000000.0, "use_sliding_window": False,
                 "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]}},
        "keys": {"rope.freq_base": 1000000.0, "rope.dimension_sections": [2, 3, 3, 0]},
    },
    "qwen3vl": {
        "architecture": "qwen3vl", "class": "Qwen3VLForConditionalGeneration", "model_type": "qwen3_vl",
        "head_norms": True, "prefix": "model.language_model.", "vision": "model.visual.",
        "config": {"vision_config": {"depth": 1, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2,
                                     "out_hidden_size": EMBEDDING, "patch_size": 4, "num_position_embeddings": 16,
                                     "deepstack_visual_indexes": [0]}},
        "text": {"model_type": "qwen3_vl_text", "rope_parameters": {
            "rope_type": "default", "rope_theta": 500000.0, "mrope_section": [6, 5, 5], "mrope_interleaved": True}},
        "keys": {"rope.freq_base": 500000.0, "rope.dimension_sections": [6, 5, 5, 0], "n_deepstack_layers": 1},
    },
    # Neighbours turn in files of both kinds.
    "ernie4_5": {
        "architecture": "ernie4_5", "class": "Ernie4_5ForCausalLM", "model_type": "ernie4_5", "tied": True,
        "config": {"rope_theta": 500000.0, "use_bias": False}, "keys": {"rope.freq_base": 500000.0},
    },
    "paddleocr": {
        "architecture": "paddleocr", "class": "PaddleOCRVLForConditionalGeneration", "model_type": "paddleocr_vl",
        "prefix": "model.language_model.", "vision": "model.visual.",
        "config": {"vision_config": {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1,
                                     "num_attention_heads": 2}},
        "text": {"model_type": "paddleocr_vl_text", "use_bias": False, "rope_parameters": {
            "rope_type": "default", "rope_theta": 500000.0, "mrope_section": [6, 5, 5]}},
        "keys": {"rope.freq_base": 500000.0, "rope.dimension_sections": [6, 5, 5, 0]},
    },
    # Yarn of magnitude 1, and queries that grow every 16 positions.
    "ministral3": {
        "architecture": "mistral3", "class": "Ministral3ForCausalLM", "model_type": "ministral3",
        "config": {"sliding_window": None, "rope_parameters": {
            "type": "yarn", "rope_type": "yarn", "rope_theta": 1000000.0, "factor": 4.0, "beta_fast": 32.0,
            "beta_slow": 1.0, "original_max_position_embeddings": 16, "mscale": 1.0, "mscale_all_dim": 1.0,
            "llama_4_scaling_beta": 0.125}},
        "keys": {"rope.freq_base": 1000000.0, "rope.scaling.type": "yarn", "rope.scaling.factor": 4.0,
                 "rope.scaling.original_context_length": 16, "rope.scaling.yarn_log_multiplier": 1.0,
                 "attention.temperature_scale": 0.125},
    },
    "olmo2": {
        "architecture": "olmo2", "class": "Olmo2ForCausalLM", "model_type": "olmo2", "row_norms": True,
        "head_size": 16, "pre_norms": False, "post_norms": True, "config": {"rope_theta": 10000.0, "head_dim": None},
    },
    # Yarn on the layers without the window alone.
    "olmo3": {
        "architecture": "olmo2", "class": "Olmo3ForCausalLM", "model_type": "olmo3", "layers": 4, "row_norms": True,
        "head_size": 16, "pre_norms": False, "post_norms": True,
        "config": {"sliding_window": 16, "head_dim": None, "rope_theta": 500000.0,
                   "layer_types": ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"],
                   "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16,
                                    "attention_factor": 1.125, "beta_fast": 32.0, "beta_slow": 1.0}},
        "keys": {"attention.sliding_window": 16, "attention.sliding_window_pattern": [True, True, True, False],
                 "rope.freq_base": 500000.0, "rope.freq_base_swa": 500000.0, "rope.scaling.type": "yarn",
                 "rope.scaling.factor": 4.0, "rope.scaling.original_context_length": 16,
                 "rope.scaling.attn_factor": 1.125 / (1 + 0.1 * math.log(4.0))},
    },
    # The layer without the window does not turn.
    "exaone4": {
        "architecture": "exaone4", "class": "Exaone4ForCausalLM", "model_type": "exaone4", "layers": 4,
        "head_norms": True, "pre_norms": False, "post_norms": True,
        "config": {"sliding_window": 16, "sliding_window_pattern": "LLLG", "rope_theta": 1000000.0,
                   "layer_types": ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"]},
        "keys": {"attention.sliding_window": 16, "attention.sliding_window_pattern": [True, True, True, False],
                 "rope.freq_base": 1000000.0},
    },
    # Two of four layers are convolutions over three positions.
    "lfm2": {
        "architecture": "lfm2", "class": "Lfm2ForCausalLM", "model_type": "lfm2", "layers": 4, "tied": True,
        "head_norms": True, "head_size": 16, "convolutions": (True, False, True, False),
        "config": {"norm_eps": EPSILON, "rms_norm_eps": None, "conv_L_cache": 3, "conv_bias": False, "head_dim": None,
                   "block_auto_adjust_ff_dim": False, "layer_types": ["conv", "full_attention"] * 2,
                   "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0}},
        "keys": {"attention.head_count_kv": [0, 2, 0, 2], "shortconv.l_cache": 3, "rope.freq_base": 1000000.0,
                 "attention.key_length": None, "attention.value_length": None, "rope.dimension_count": None},
    },
    # Three of four layers have two key heads and four value heads of the gated delta rule.
    "qwen35": {
        "architecture": "qwen35", "class": "Qwen3_5ForCausalLM", "model_type": "qwen3_5_text", "layers": 4,
        "tied": True, "head_norms": True, "turned": 8, "delta": (2, 4, 32), "query_gates": True,
        "recurrent": (True, True, True, False),
        "config": {"linear_conv_kernel_dim": 4, "linear_num_key_heads": 2, "linear_num_value_heads": 4,
                   "linear_key_head_dim": 32, "linear_value_head_dim": 32,
                   "layer_types": ["linear_attention"] * 3 + ["full_attention"],
                   "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0, "partial_rotary_factor": 0.25,
                                       "mrope_section": [2, 1, 1]}},
        "keys": {"ssm.conv_kernel": 4, "ssm.state_size": 32, "ssm.group_count": 2, "ssm.time_step_rank": 4,
                 "ssm.inner_size": 128, "attention.recurrent_layers": [True, True, True, False],
                 "full_attention_interval": 4, "rope.freq_base": 1000000.0, "rope.dimension_sections": [2, 1, 1, 0]},
    },
    # The folder's experts are transposed, gate and up by turns.
    "gpt_oss": {
        "architecture": "gpt-oss", "class": "GptOssForCausalLM", "model_type": "gpt_oss", "layers": 4,
        "experts": (8, 2, 64), "biases": ("q", "k", "v", "o", "experts"), "sinks": True,
        "config": {"num_local_experts": 8, "intermediate_size": 64, "sliding_window": 16,
                   "layer_types": ["sliding_attention", "full_attention"] * 2, "rope_parameters": {
                       "rope_type": "yarn", "rope_theta": 150000.0, "factor": 4.0, "beta_fast": 32.0, "beta_slow": 1.0,
                       "truncate": False, "original_max_position_embeddings": 16}},
        "keys": {"attention.sliding_window": 16, "rope.freq_base": 150000.0, "rope.scaling.type": "yarn",
                 "rope.scaling.factor": 4.0, "rope.scaling.original_context_length": 16,
                 "rope.scaling.yarn_beta_fast": 32.0, "rope.scaling.yarn_beta_slow": 1.0},
    },
    # Three quarters of each head turn; longer than the original context, so the long factors.
    "phi3": {
        "architecture": "phi3", "class": "Phi3ForCausalLM", "model_type": "phi3", "fused": True, "turned": 24, "heads": (2, 1),
        "config": {"partial_rotary_factor": 0.75, "original_max_position_embeddings": 16, "rope_theta": 10000.0,
                   "rope_scaling": {"type": "longrope", "short_factor": SHORT_FACTORS, "long_factor": LONG_FACTORS},
                   "pad_token_id": 0, "sliding_window": None},
        "keys": {"rope.scaling.original_context_length": 16,
                 "rope.scaling.attn_factor": math.sqrt(1 + math.log(CONTEXT / 16) / math.log(16))},
        "vectors": {"rope_factors_short.weight": SHORT_FACTORS, "rope_factors_long.weight": LONG_FACTORS},
    },
    "gemma": {
        "architecture": "gemma", "class": "GemmaForCausalLM", "model_type": "gemma", "tied": True, "gemma": True,
        "config": {"hidden_act": "gelu_pytorch_tanh", "rope_theta": 10000.0},
    },
    "gemma2": {
        "architecture": "gemma2", "class": "Gemma2ForCausalLM", "model_type": "gemma2", "tied": True, "gemma": True,
        "post_norms": True,
        "config": {"hidden_activation": "gelu_pytorch_tanh", "rope_theta": 10000.0, "sliding_window": 16,
                   "query_pre_attn_scalar": HEAD_SIZE, "attn_logit_softcapping": 5.0, "final_logit_softcapping": 4.0},
        "keys": {"attention.sliding_window": 16, "attn_logit_softcapping": 5.0, "final_logit_softcapping": 4.0},
    },
    "gemma3": {
        "architecture": "gemma3", "class": "Gemma3ForCausalLM", "model_type": "gemma3_text", "layers": 6, "tied": True,
        "gemma": True, "post_norms": True, "head_norms": True,
        "config": {"hidden_activation": "gelu_pytorch_tanh", "sliding_window": 16, "query_pre_attn_scalar": HEAD_SIZE,
                   "rope_theta": 1000000.0, "rope_local_base_freq": 10000.0, "sliding_window_pattern": 6,
                   "rope_scaling": {"rope_type": "linear", "factor": 8.0}},
        "keys": {"attention.sliding_window": 16, "rope.freq_base": 1000000.0, "rope.scaling.type": "linear",
                 "rope.scaling.factor": 8.0},
    },
    # Layers without the window have larger heads, whose values are keys, and turn a quarter of each.
    "gemma4": {
        "architecture": "gemma4", "class": "Gemma4ForCausalLM", "model_type": "gemma4_text", "layers": 4, "tied": True,
        "post_norms": True, "head_norms": True, "scalars": True, "local": (True, True, True, False),
        "full": {"head_size": 64, "kv_heads": 1, "values": False},
        "config": {"hidden_activation": "gelu_pytorch_tanh", "sliding_window": 16, "final_logit_softcapping": 4.0,
                   "hidden_size_per_layer_input": 0, "attention_k_eq_v": True, "rope_parameters": GEMMA4_ROPES,
                   "layer_types": ["sliding_attention"] * 3 + ["full_attention"],
                   "per_layer_config": {"3": {"head_dim": 64, "num_key_value_heads": 1}}},
        "keys": {"attention.sliding_window": 16, "attention.sliding_window_pattern": [True, True, True, False],
                 "attention.head_count_kv": [2, 2, 2, 1], "embedding_length_per_layer_input": 0, **GEMMA4_KEYS},
        "vectors": {"rope_freqs.weight": GEMMA4_DIVISORS},
    },
    # The last three layers attend over the caches of those before them, and each has an embedding of its own.
    "gemma4_shared": {
        "architecture": "gemma4", "class": "Gemma4ForCausalLM", "model_type": "gemma4_text", "layers": 7, "tied": True,
        "post_norms": True, "head_norms": True, "scalars": True, "heads": (4, 1), "shared": 3, "own_embedding": 32,
        "local": (True, False, True, False, True, True, False), "full": {"head_size": 64},
        "config": {"hidden_activation": "gelu_pytorch_tanh", "sliding_window": 16, "final_logit_softcapping": 4.0,
                   "hidden_size_per_layer_input": 32, "vocab_size_per_layer_input": VOCABULARY,
                   "num_kv_shared_layers": 3, "use_double_wide_mlp": True, "rope_parameters": GEMMA4_ROPES,
                   "global_head_dim": 64,
                   "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention",
                                   "sliding_attention", "sliding_attention", "full_attention"]},
        "keys": {"attention.sliding_window": 16, "attention.shared_kv_layers": 3,
                 "attention.sliding_window_pattern": [True, False, True, False, True, True, False],
                 "feed_forward_length": [96] * 4 + [192] * 3, "embedding_length_per_layer_input": 32, **GEMMA4_KEYS},
        "vectors": {"rope_freqs.weight": GEMMA4_DIVISORS},
    },
}


class Model:
    """Tensors by the names of GGUF, in the order of rows that Hugging Face has, each a float32 array."""

    def __init__(self, family, context=CONTEXT):
        self.context = context
        self.random = np.random.default_rng(20250301)
        self.family = FAMILIES[family]
        self.name = family
        self.layers = self.family.get("layers", 2)
        self.head_size = self.family.get("head_size", HEAD_SIZE)
        self.turned = self.family.get("turned", self.head_size)
        self.heads, self.kv_heads = self.family.get("heads", (HEADS, KV_HEADS))
        self.tensors, self.predicting = {}, 0
        self.matrix("token_embd", VOCABULARY, EMBEDDING, 1 / EMBEDDING**0.5 if self.family.get("tied") else 1.0)
        for i in range(self.layers):
            self.layer(f"blk.{i}.", i)
        if own := self.family.get("own_embedding"):
            self.matrix("per_layer_token_embd", VOCABULARY, own * self.layers, 1 / own**0.5)
            self.matrix("per_layer_model_proj", own * self.layers, EMBEDDING)
            self.norm("per_layer_proj_norm", own)
        self.norm("token_embd_norm" if self.family["architecture"] == "lfm2" else "output_norm", EMBEDDING)
        if not self.family.get("tied"):
            self.matrix("output", VOCABULARY, EMBEDDING)

    def layer(self, block, index):
        full = {} if self.family.get("local", (True,) * self.layers)[index % self.layers] else self.family["full"]
        head_size, kv_heads = full.get("head_size", self.head_size), full.get("kv_heads", self.kv_heads)
        query, kv = self.heads * head_size, kv_heads * head_size
        shares = index >= self.layers - self.family.get("shared", 0)
        units = FEED_FORWARD * (2 if shares else 1)
        pre_norms = self.family.get("pre_norms", True)
        if pre_norms:
            self.norm(block + "attn_norm", EMBEDDING)
        if self.family.get("convolutions", (False,) * self.layers)[index]:
            self.convolution(block)
        elif self.family.get("recurrent", (False,) * self.layers)[index % self.layers]:
            self.delta_rule(block, *self.family["delta"])
        else:
            self.attention(block, query, kv, head_size, shares, full)
        if self.family.get("post_norms") or "delta" in self.family:
            self.norm(block + "post_attention_norm", EMBEDDING)
        if pre_norms and "delta" not in self.family:
            self.norm(block + "ffn_norm", EMBEDDING)
        if "experts" in self.family:
            self.experts(block, *self.family["experts"])
            return
        self.linear(block + "ffn_gate", units, EMBEDDING, "gate")
        self.linear(block + "ffn_up", units, EMBEDDING, "up")
        self.linear(block + "ffn_down", EMBEDDING, units, "down")
        if self.family.get("post_norms"):
            self.norm(block + "post_ffw_norm", EMBEDDING)
        if own := self.family.get("own_embedding"):
            self.matrix(block + "inp_gate", own, EMBEDDING)
            self.matrix(block + "proj", EMBEDDING, own)
            self.norm(block + "post_norm", EMBEDDING)
        if self.family.get("scalars"):
            self.norm(block + "layer_output_scale", 1)

    def attention(self, block, query, kv, head_size, shares, full):
        self.linear(block + "attn_q", query * (2 if self.family.get("query_gates") else 1), EMBEDDING, "q")
        if not shares:
            self.linear(block + "attn_k", kv, EMBEDDING, "k")
        if not shares and full.get("values", True):
            self.linear(block + "attn_v", kv, EMBEDDING, "v")
        self.linear(block + "attn_output", EMBEDDING, query, "o")
        if self.family.get("sinks"):
            self.tensors[block + "attn_sinks.weight"] = self.random.normal(0, 1, self.heads).astype(np.float32)
        if self.family.get("head_norms"):
            self.norm(block + "attn_q_norm", head_size)
            if not shares:
                self.norm(block + "attn_k_norm", head_size)
        if self.family.get("row_norms"):
            self.norm(block + "attn_q_norm", query)
            self.norm(block + "attn_k_norm", kv)

    def convolution(self, block):
        self.matrix(block + "shortconv.in_proj", 3 * EMBEDDING, EMBEDDING)
        self.vector(block + "shortconv.conv.weight", (EMBEDDING, 3), 0.6)
        self.matrix(block + "shortconv.out_proj", EMBEDDING, EMBEDDING)

    def delta_rule(self, block, key_heads, value_heads, size):
        mixed, values = (2 * key_heads + value_heads) * size, value_heads * size
        self.matrix(block + "attn_qkv", mixed, EMBEDDING)
        self.matrix(block + "attn_gate", values, EMBEDDING)
        self.matrix(block + "ssm_alpha", value_heads, EMBEDDING)
        self.matrix(block + "ssm_beta", value_heads, EMBEDDING)
        self.vector(block + "ssm_conv1d.weight", (mixed, 4), 0.5)
        self.vector(block + "ssm_a", value_heads, 0.5)
        self.vector(block + "ssm_dt.bias", value_heads, 0.5)
        self.norm(block + "ssm_norm", size)
        self.matrix(block + "ssm_out", EMBEDDING, values)

    def experts(self, block, count, used, units):
        self.matrix(block + "ffn_gate_inp", count, EMBEDDING, 3 / EMBEDDING**0.5)
        if "experts" in self.family.get("biases", ()):
            self.bias(block + "ffn_gate_inp", count)
        for i in range(count):
            self.linear(f"{block}ffn_gate.{i}", units, EMBEDDING, "experts")
            self.linear(f"{block}ffn_up.{i}", units, EMBEDDING, "experts")
            self.linear(f"{block}ffn_down.{i}", EMBEDDING, units, "experts")

    def add_predicting_block(self):
        block = f"blk.{self.layers}."
        self.layer(block, self.layers - 1)
        self.matrix(block + "nextn.eh_proj", EMBEDDING, 2 * EMBEDDING)
        self.norm(block + "nextn.hnorm", EMBEDDING)
        self.predicting = 1

    def linear(self, name, rows, columns, kind):
        self.matrix(name, rows, columns)
        if kind in self.family.get("biases", ()):
            self.bias(name, rows)

    def bias(self, name, rows):
        self.vector(name + ".bias", rows, 0.3)

    def vector(self, name, shape, spread):
        self.tensors[name] = self.random.normal(0, spread, shape).astype(np.float32)

    def matrix(self, name, rows, columns, spread=None):
        values = self.random.normal(0, spread or 1.5 / columns**0.5, (rows, columns)).astype(np.float32)
        codes = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
        self.tensors[name + ".weight"] = gguf.quants.dequantize(codes, gguf.GGMLQuantizationType.Q8_0)

    def norm(self, name, elements):
        self.tensors[name + ".weight"] = (1 + 0.1 * self.random.normal(size=elements)).astype(np.float32)

    # --- GGUF -------------------------------------------------------------------------------------------------------

    def write_gguf(self, path, type_name):
        architecture = self.family["architecture"]
        writer = gguf.GGUFWriter(path, architecture)
        writer.add_string("general.name", f"tiny {self.name}")
        self.write_tokenizer(writer)
        for key, value in self.gguf_keys().items():
            if value is None:
                continue
            add = {int: writer.add_uint32, float: writer.add_float32, str: writer.add_string,
                   list: writer.add_array}[type(value)]
            add(f"{architecture}.{key}", value)
        for name, values in self.gguf_tensors().items():
            kept = ("ffn_gate_inp", "conv.weight", "conv1d", "ssm_alpha", "ssm_beta")
            matrix = values.ndim >= 2 and name.endswith(".weight") and not any(part in name for part in kept)
            if type_name == "mxfp4": # which is for experts alone
                matrix = "_exps" in name and matrix
            kind = gguf.GGMLQuantizationType[type_name.upper()] if matrix else gguf.GGMLQuantizationType.F32
            stored = values if kind == gguf.GGMLQuantizationType.F32 else gguf.quants.quantize(values, kind)
            writer.add_tensor(name, stored, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    def write_tokenizer(self, writer):
        writer.add_string("tokenizer.ggml.model", "no_vocab")

    def gguf_keys(self):
        predicting = {"nextn_predict_layers": self.predicting} if self.predicting else {}
        if "experts" in self.family:
            count, used, units = self.family["experts"]
            experts = {"expert_count": count, "expert_used_count": used, "expert_feed_forward_length": units}
        else:
            experts = {}
        return {
            **predicting, "block_count": self.layers + self.predicting, "context_length": self.context, "embedding_length": EMBEDDING,
            "feed_forward_length": FEED_FORWARD, "attention.head_count": self.heads, "attention.head_count_kv": self.kv_heads,
            "attention.key_length": self.head_size, "attention.value_length": self.head_size,
            "attention.layer_norm_rms_epsilon": EPSILON, "rope.dimension_count": self.turned,
            "rope.freq_base": 10000.0, "vocab_size": VOCABULARY, **experts, **self.family.get("keys", {}),
        }

    def gguf_tensors(self):
        tensors = dict(self.tensors)
        if self.family["architecture"] in ("llama", "smollm3", "granite", "granitemoe", "mistral3"):
            for name in tensors:
                if ".attn_q." in name or ".attn_k." in name:
                    tensors[name] = adjacent(tensors[name], self.head_size)
        if self.family.get("fused"):
            fuse(tensors, self.layers, "attn_qkv", ("attn_q", "attn_k", "attn_v"))
            fuse(tensors, self.layers, "ffn_up", ("ffn_gate", "ffn_up"))
        if "experts" in self.family:
            for i in range(self.layers):
                stack_experts(tensors, f"blk.{i}.", self.family["experts"][0])
                if self.family["architecture"] == "gpt-oss":
                    tensors[f"blk.{i}.post_attention_norm.weight"] = tensors.pop(f"blk.{i}.ffn_norm.weight")
        if "delta" in self.family:
            for i in range(self.layers):
                tile_value_heads(tensors, f"blk.{i}.", *self.family["delta"])
        if "llama3" in self.family:
            tensors["rope_freqs.weight"] = llama3_divisors(**self.family["llama3"])
        for name, values in self.family.get("vectors", {}).items():
            tensors[name] = np.array(values, dtype=np.float32)
        return tensors

    # --- Hugging Face -----------------------------------------------------------------------------------------------

    def write_folder(self, folder, experts=None):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        numbers = {
            "hidden_size": EMBEDDING, "intermediate_size": FEED_FORWARD, "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads, "num_key_value_heads": self.kv_heads, "head_dim": self.head_size,
            "vocab_size": VOCABULARY, "max_position_embeddings": self.context, "rms_norm_eps": EPSILON,
            "hidden_act": "silu", "torch_dtype": "float32", "bos_token_id": 1, "eos_token_id": 2,
        }
        if "experts" in self.family:
            count, used, units = self.family["experts"]
            numbers |= {"num_experts": count, "num_experts_per_tok": used, "moe_intermediate_size": units}
        if "text" in self.family:
            numbers = {"text_config": {**numbers, **self.family["text"]}}
        config = {
            "architectures": [self.family["class"]], "model_type": self.family["model_type"], **numbers,
            "tie_word_embeddings": bool(self.family.get("tied")), **self.family["config"],
        }
        if experts == "blocks":
            config["quantization_config"] = {"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]}
        config = {key: value for key, value in config.items() if value is not None or key == "sliding_window"}
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        write_safetensors(folder / "model.safetensors", self.folder_tensors(experts))
        if "pooling" in self.family:
            self.write_modules(folder)

    def write_modules(self, folder):
        modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
        (folder / "modules.json").write_text(json.dumps([
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{name}"}
            for i, (path, name) in enumerate(modules)]))
        flags = {f"pooling_mode_{name}": name.startswith(self.family["pooling"])
                 for name in ("cls_token", "mean_tokens", "max_tokens", "lasttoken")}
        (folder / "1_Pooling").mkdir(exist_ok=True)
        (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": EMBEDDING, **flags}))

    def folder_tensors(self, experts=None):
        tensors = dict(self.tensors)
        if self.family.get("gemma") or "delta" in self.family:
            for name in tensors:
                if "norm" in name and "ssm_norm" not in name:
                    tensors[name] = tensors[name] - np.float32(1)
        if self.family.get("fused"):
            fuse(tensors, self.layers, "attn_qkv", ("attn_q", "attn_k", "attn_v"))
        if self.family.get("fused") or self.family.get("shared_unit"):
            fuse(tensors, self.layers, "ffn_gate_up", ("ffn_gate", "ffn_up"))
        if self.family["architecture"] == "gpt-oss":
            for i in range(self.layers):
                self.fold_experts(tensors, i, experts == "blocks")
        if experts == "folded":
            for i in range(self.layers):
                stack_experts(tensors, f"blk.{i}.", self.family["experts"][0])
                gate, up, down = (tensors.pop(f"blk.{i}.ffn_{part}_exps.weight") for part in ("gate", "up", "down"))
                tensors[f"blk.{i}.gate_up_proj"] = np.concatenate([gate, up], axis=1)
                tensors[f"blk.{i}.down_proj"] = down
        if self.family["architecture"] == "granitemoe":
            for i in range(self.layers):
                stack_experts(tensors, f"blk.{i}.", self.family["experts"][0])
                gate, up, down = (tensors.pop(f"blk.{i}.ffn_{part}_exps.weight") for part in ("gate", "up", "down"))
                tensors[f"blk.{i}.input_linear.weight"] = np.concatenate([gate, up], axis=1)
                tensors[f"blk.{i}.output_linear.weight"] = down
        for name in tensors:
            if "shortconv.conv" in name or "conv1d" in name:
                tensors[name] = tensors[name][:, None]
        if "vision" in self.family:
            tensors[self.family["vision"] + "blocks.0.norm1.weight"] = np.ones(32, dtype=np.float32)
        return {self.folder_name(name): values for name, values in tensors.items()}

    def fold_experts(self, tensors, layer, blocks):
        """Experts as transformers has them: gate and up by turns, inputs before outputs, or in blocks of MXFP4."""
        block = f"blk.{layer}."
        stack_experts(tensors, block, self.family["experts"][0])

        def take(part, kind):
            return tensors.pop(f"{block}ffn_{part}_exps.{kind}")

        weights, biases = (np.stack([take("gate", kind), take("up", kind)], axis=2) for kind in ("weight", "bias"))
        both, down = weights.reshape(len(weights), -1, EMBEDDING), take("down", "weight")
        tensors[block + "gate_up_proj_bias"] = biases.reshape(len(biases), -1)
        tensors[block + "down_proj_bias"] = take("down", "bias")
        for name, values in (("gate_up_proj", both), ("down_proj", down)):
            if blocks:
                tensors[f"{block}{name}_blocks"], tensors[f"{block}{name}_scales"] = mxfp4_blocks(values)
            else:
                tensors[block + name] = values.swapaxes(1, 2)

    def folder_name(self, name):
        prefix, parts = self.family.get("prefix", "model."), name.split(".")
        if parts[0] != "blk":
            names = {"token_embd_norm": prefix + "embedding_norm", "token_embd": prefix + "embed_tokens", "output_norm": prefix + "norm", "output": "lm_head",
                     "per_layer_token_embd": prefix + "embed_tokens_per_layer",
                     "per_layer_model_proj": prefix + "per_layer_model_projection",
                     "per_layer_proj_norm": prefix + "per_layer_projection_norm"}
            return f"{names[parts[0]]}.{parts[1]}" if parts[0] in names else name
        post, shared = self.family.get("post_norms"), self.family.get("shared_unit")
        layer = f"{prefix}layers.{parts[1]}."
        if self.family["architecture"] == "lfm2":
            return layer + LFM2_MODULES[".".join(parts[2:-1])] + ".weight"
        if parts[2] == "ssm_a":
            return layer + "linear_attn.A_log"
        if parts[2] == "ssm_dt":
            return layer + "linear_attn.dt_bias"
        if "delta" in self.family and parts[2] in DELTA_MODULES:
            return layer + "linear_attn." + DELTA_MODULES[parts[2]] + ".weight"
        if len(parts) == 3:
            return f"{prefix}layers.{parts[1]}.mlp.experts.{parts[2]}"
        if parts[2] == "attn_sinks":
            return f"{prefix}layers.{parts[1]}.self_attn.sinks"
        if parts[3].isdigit():
            return f"{prefix}layers.{parts[1]}.mlp.experts.{parts[3]}.{parts[2].removeprefix('ffn_')}_proj.{parts[4]}"
        module = {
            "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
            "attn_v": "self_attn.v_proj", "attn_qkv": "self_attn.qkv_proj", "attn_output": "self_attn.o_proj",
            "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
            "post_attention_norm": "post_attention_layernorm",
            "ffn_norm": "pre_feedforward_layernorm" if post else "post_attention_layernorm",
            "ffn_gate_inp": {"gpt-oss": "mlp.router", "granitemoe": "block_sparse_moe.router.layer"}.get(
                self.family["architecture"], "mlp.gate"),
            "input_linear": "block_sparse_moe.input_linear", "output_linear": "block_sparse_moe.output_linear",
             "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
            "ffn_gate_up": "shared_mlp.input_linear" if shared else "mlp.gate_up_proj",
            "ffn_down": "shared_mlp.output_linear" if shared else "mlp.down_proj", "post_ffw_norm": "post_feedforward_layernorm",
            "inp_gate": "per_layer_input_gate", "proj": "per_layer_projection",
            "post_norm": "post_per_layer_input_norm", "layer_output_scale": "layer_scalar",
        }[parts[2]]
        if module == "layer_scalar":
            return f"{prefix}layers.{parts[1]}.{module}"
        return f"{prefix}layers.{parts[1]}.{module}.{parts[3]}"


def tile_value_heads(tensors, block, key_heads, value_heads, size):
    """Value heads from the order in which those of a key head stand together to that where they are key_heads apart."""
    if block + "ssm_a" not in tensors:
        return

    def tiled(values, elements):
        heads = values.reshape(key_heads, value_heads // key_heads, elements, *values.shape[1:])
        return np.ascontiguousarray(heads.swapaxes(0, 1)).reshape(values.shape)

    keys = 2 * key_heads * size
    for name in ("attn_qkv.weight", "ssm_conv1d.weight"):
        values = tensors[block + name]
        tensors[block + name] = np.concatenate([values[:keys], tiled(values[keys:], size)])
    for name, elements in (("attn_gate.weight", size), ("ssm_alpha.weight", 1), ("ssm_beta.weight", 1), ("ssm_a", 1),
                           ("ssm_dt.bias", 1)):
        tensors[block + name] = tiled(tensors[block + name], elements)
    tensors[block + "ssm_out.weight"] = np.ascontiguousarray(tiled(tensors[block + "ssm_out.weight"].T, size).T)
    tensors[block + "ssm_a"] = -np.exp(tensors[block + "ssm_a"])


def stack_experts(tensors, block, count):
    for part in ("gate", "up", "down"):
        for kind in ("weight", "bias"):
            if f"{block}ffn_{part}.0.{kind}" in tensors:
                tensors[f"{block}ffn_{part}_exps.{kind}"] = np.stack(
                    [tensors.pop(f"{block}ffn_{part}.{e}.{kind}") for e in range(count)])


def mxfp4_blocks(values):
    """Bytes of two neighbouring elements, the first in the low half, and scales, where GGUF has both in one block."""
    stored = gguf.quants.quantize(values, gguf.GGMLQuantizationType.MXFP4)
    stored = stored.reshape(*values.shape[:-1], values.shape[-1] // 32, 17)
    codes = np.concatenate([stored[..., 1:] & 15, stored[..., 1:] >> 4], axis=-1)
    return codes[..., 0::2] | codes[..., 1::2] << 4, stored[..., 0]


def adjacent(values, head_size):
    """Rows of heads from the order that turns halves to the one that turns neighbours."""
    heads = values.reshape(-1, 2, head_size // 2, *values.shape[1:])
    return np.ascontiguousarray(heads.swapaxes(1, 2)).reshape(values.shape)


def fuse(tensors, layers, name, parts):
    for i in range(layers):
        tensors[f"blk.{i}.{name}.weight"] = np.concatenate([tensors.pop(f"blk.{i}.{part}.weight") for part in parts])


def llama3_divisors(factor, low_freq_factor, high_freq_factor, original_max_position_embeddings):
    """As llama.cpp's converter writes them."""
    divisors = []
    for i in range(0, HEAD_SIZE, 2):
        turns = original_max_position_embeddings * 10000.0 ** (-i / HEAD_SIZE) / (2 * math.pi)
        if turns > high_freq_factor:
            divisors.append(1.0)
        elif turns < low_freq_factor:
            divisors.append(factor)
        else:
            smooth = (turns - low_freq_factor) / (high_freq_factor - low_freq_factor)
            divisors.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(divisors, dtype=np.float32)


def write_safetensors(path, tensors):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": {"float32": "F32", "uint8": "U8"}[str(values.dtype)], "shape": list(values.shape), "data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(np.ascontiguousarray(values).tobytes())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--types", default="")
    parser.add_argument("--folders", action="store_true")
    parser.add_argument("--experts", choices=("blocks", "folded"))
    parser.add_argument("--context", type=int, default=CONTEXT)
    parser.add_argument("--predicting", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for family in options.families.split(","):
        model = Model(family, options.context)
        if options.predicting:
            model.add_predicting_block()
        for type_name in filter(None, options.types.split(",")):
            model.write_gguf(options.out / f"{family}.{type_name}.gguf", type_name)
        if options.folders:
            model.write_folder(options.out / family)
        if options.experts:
            model.write_folder(options.out / f"{family}.{options.experts}", options.experts)
