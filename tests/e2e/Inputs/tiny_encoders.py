# SPDX-License-Identifier: Apache-2.0
"""Tiny models with random weights whose rows see the whole text, the same ones as GGUF files and as folders of
sentence-transformers.

    tiny_encoders.py OUT [--families bert,modern_bert] [--types f32,q8_0] [--folders] [--context 64]

writes OUT/bert.f32.gguf, OUT/bert/config.json and so on. Matrices hold numbers that q8_0 and f32 both keep exactly.
What the models answer is in families/*.json and embeddings/*.json, made by make_family_goldens.py.
"""
import argparse
import json
import pathlib

import gguf
import numpy as np
from tiny_models import write_safetensors

VOCABULARY, EMBEDDING, HEADS, HEAD_SIZE, UNITS, CONTEXT, WINDOW, EPSILON = 160, 64, 4, 16, 96, 64, 16, 1e-5

FAMILIES = {
    "bert": {
        "architecture": "bert", "class": "BertModel", "layers": 2, "pooling": "cls",
        "config": {"model_type": "bert", "intermediate_size": UNITS, "num_hidden_layers": 2, "layer_norm_eps": EPSILON,
                   "type_vocab_size": 2, "hidden_act": "gelu", "pad_token_id": 0},
        "keys": {"attention.layer_norm_epsilon": EPSILON, "attention.causal": False, "pooling_type": 2},
        "names": {"token_embd": "embeddings.word_embeddings", "position_embd": "embeddings.position_embeddings",
                  "token_types": "embeddings.token_type_embeddings", "token_embd_norm": "embeddings.LayerNorm"},
        "block": "encoder.layer.{}.",
        "modules": {"attn_q": "attention.self.query", "attn_k": "attention.self.key", "attn_v": "attention.self.value",
                    "attn_output": "attention.output.dense", "attn_output_norm": "attention.output.LayerNorm",
                    "ffn_up": "intermediate.dense", "ffn_down": "output.dense",
                    "layer_output_norm": "output.LayerNorm"},
    },
    # Of four layers the first and the last see everything.
    "modern_bert": {
        "architecture": "modern-bert", "class": "ModernBertModel", "layers": 4, "pooling": "mean",
        "config": {"model_type": "modernbert", "intermediate_size": UNITS, "num_hidden_layers": 4,
                   "local_attention": WINDOW, "global_attn_every_n_layers": 3, "global_rope_theta": 160000.0,
                   "local_rope_theta": 10000.0, "norm_eps": EPSILON, "hidden_activation": "gelu", "pad_token_id": 0,
                   "cls_token_id": 1, "sep_token_id": 2, "bos_token_id": 1, "eos_token_id": 2, "norm_bias": False},
        "keys": {"attention.layer_norm_epsilon": EPSILON, "attention.causal": False, "pooling_type": 1,
                 "attention.sliding_window": WINDOW, "attention.sliding_window_pattern": 3,
                 "rope.freq_base": 160000.0, "rope.freq_base_swa": 10000.0},
        "names": {"token_embd": "embeddings.tok_embeddings", "token_embd_norm": "embeddings.norm",
                  "output_norm": "final_norm"},
        "block": "layers.{}.",
        "modules": {"attn_norm": "attn_norm", "attn_qkv": "attn.Wqkv", "attn_output": "attn.Wo",
                    "ffn_norm": "mlp_norm", "ffn_up": "mlp.Wi", "ffn_down": "mlp.Wo"},
    },
    # Two linears behind the rows, the first of which has more outputs.
    "gemma_embedding": {
        "architecture": "gemma-embedding", "class": "Gemma3TextModel", "layers": 4, "pooling": "mean", "dense": 128,
        "config": {"model_type": "gemma3_text", "intermediate_size": UNITS, "num_hidden_layers": 4,
                   "num_key_value_heads": 1, "head_dim": HEAD_SIZE, "rms_norm_eps": EPSILON, "sliding_window": WINDOW,
                   "layer_types": ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"],
                   "query_pre_attn_scalar": HEAD_SIZE, "use_bidirectional_attention": True,
                   "hidden_activation": "gelu_pytorch_tanh", "rope_parameters": {
                       "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
                       "full_attention": {"rope_type": "default", "rope_theta": 1000000.0}}},
        "keys": {"attention.layer_norm_rms_epsilon": EPSILON, "attention.head_count_kv": 1, "pooling_type": 1,
                 "attention.key_length": HEAD_SIZE, "attention.value_length": HEAD_SIZE,
                 "attention.sliding_window": WINDOW, "attention.sliding_window_pattern": [True, True, True, False],
                 "rope.freq_base": 1000000.0, "dense_2_feat_in": EMBEDDING, "dense_2_feat_out": 128,
                 "dense_3_feat_in": 128, "dense_3_feat_out": EMBEDDING},
        "names": {"token_embd": "embed_tokens", "output_norm": "norm"},
        "block": "layers.{}.",
        "modules": {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
                    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm",
                    "attn_k_norm": "self_attn.k_norm", "post_attention_norm": "post_attention_layernorm",
                    "ffn_norm": "pre_feedforward_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
                    "ffn_down": "mlp.down_proj", "post_ffw_norm": "post_feedforward_layernorm"},
    },
}


class Model:
    """`tensors` are those of the GGUF file by their names there."""

    def __init__(self, name, context=CONTEXT):
        self.name, self.family, self.context, self.tensors = name, FAMILIES[name], context, {}
        self.random = np.random.default_rng(list(name.encode()))
        getattr(self, "build_" + name)()

    def build_bert(self):
        self.matrix("token_embd", VOCABULARY, EMBEDDING, 1)
        self.matrix("position_embd", self.context, EMBEDDING, 1)
        self.matrix("token_types", 2, EMBEDDING, 1)
        self.norm("token_embd_norm", shift=True)
        for i in range(self.family["layers"]):
            block = f"blk.{i}."
            for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
                self.linear(block + part, EMBEDDING, EMBEDDING)
            self.norm(block + "attn_output_norm", shift=True)
            self.linear(block + "ffn_up", UNITS, EMBEDDING)
            self.linear(block + "ffn_down", EMBEDDING, UNITS)
            self.norm(block + "layer_output_norm", shift=True)

    def build_modern_bert(self):
        self.matrix("token_embd", VOCABULARY, EMBEDDING, 1)
        self.norm("token_embd_norm")
        for i in range(self.family["layers"]):
            block = f"blk.{i}."
            if i != 0:
                self.norm(block + "attn_norm")
            self.matrix(block + "attn_qkv", 3 * EMBEDDING, EMBEDDING)
            self.matrix(block + "attn_output", EMBEDDING, EMBEDDING)
            self.norm(block + "ffn_norm")
            self.matrix(block + "ffn_up", 2 * UNITS, EMBEDDING)
            self.matrix(block + "ffn_down", EMBEDDING, UNITS)
        self.norm("output_norm")

    def build_gemma_embedding(self):
        self.matrix("token_embd", VOCABULARY, EMBEDDING, 1)
        for i in range(self.family["layers"]):
            block = f"blk.{i}."
            for part in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"):
                self.norm(block + part)
            for part, rows in (("attn_q", HEADS), ("attn_k", 1), ("attn_v", 1)):
                self.matrix(block + part, rows * HEAD_SIZE, EMBEDDING)
            self.matrix(block + "attn_output", EMBEDDING, HEADS * HEAD_SIZE)
            for part in ("attn_q_norm", "attn_k_norm"):
                self.norm(block + part, HEAD_SIZE)
            for part in ("ffn_gate", "ffn_up"):
                self.matrix(block + part, UNITS, EMBEDDING)
            self.matrix(block + "ffn_down", EMBEDDING, UNITS)
        self.norm("output_norm")
        self.matrix("dense_2", self.family["dense"], EMBEDDING)
        self.matrix("dense_3", EMBEDDING, self.family["dense"])

    def linear(self, name, rows, columns):
        self.matrix(name, rows, columns)
        self.tensors[name + ".bias"] = self.random.normal(0, 0.3, rows).astype(np.float32)

    def matrix(self, name, rows, columns, spread=None):
        values = self.random.normal(0, spread or 1.5 / columns**0.5, (rows, columns)).astype(np.float32)
        codes = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
        self.tensors[name + ".weight"] = gguf.quants.dequantize(codes, gguf.GGMLQuantizationType.Q8_0)

    def norm(self, name, elements=EMBEDDING, shift=False):
        self.tensors[name + ".weight"] = (1 + 0.1 * self.random.normal(size=elements)).astype(np.float32)
        if shift:
            self.tensors[name + ".bias"] = self.random.normal(0, 0.1, elements).astype(np.float32)

    def write_gguf(self, path, type_name):
        architecture = self.family["architecture"]
        writer = gguf.GGUFWriter(path, architecture)
        writer.add_string("general.name", f"tiny {self.name}")
        writer.add_string("tokenizer.ggml.model", "no_vocab")
        keys = {"block_count": self.family["layers"], "context_length": self.context, "embedding_length": EMBEDDING,
                "feed_forward_length": UNITS, "attention.head_count": HEADS, "vocab_size": VOCABULARY,
                **self.family["keys"]}
        for key, value in keys.items():
            add = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32,
                   list: writer.add_array}[type(value)]
            add(f"{architecture}.{key}", value)
        for name, values in self.tensors.items():
            plain = values.ndim < 2 or name in ("position_embd.weight", "token_types.weight")
            kind = gguf.GGMLQuantizationType.F32 if plain else gguf.GGMLQuantizationType[type_name.upper()]
            stored = values if kind == gguf.GGMLQuantizationType.F32 else gguf.quants.quantize(values, kind)
            writer.add_tensor(name, stored, raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    def write_folder(self, folder):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        config = {"architectures": [self.family["class"]], "hidden_size": EMBEDDING, "num_attention_heads": HEADS,
                  "vocab_size": VOCABULARY, "max_position_embeddings": self.context, "torch_dtype": "float32",
                  **self.family["config"]}
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        write_safetensors(folder / "model.safetensors", {self.folder_name(name): self.folder_values(name)
                                                         for name in self.tensors if not name.startswith("dense_")})
        modules = [("", "Transformer"), ("1_Pooling", "Pooling")]
        if "dense" in self.family:
            for number in (2, 3):
                self.write_dense(folder / f"{number}_Dense", f"dense_{number}.weight")
            modules += [("2_Dense", "Dense"), ("3_Dense", "Dense")]
        modules.append((f"{len(modules)}_Normalize", "Normalize"))
        (folder / "modules.json").write_text(json.dumps([
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{name}"}
            for i, (path, name) in enumerate(modules)]))
        flags = {f"pooling_mode_{name}": name.startswith(self.family["pooling"])
                 for name in ("cls_token", "mean_tokens", "max_tokens", "lasttoken")}
        (folder / "1_Pooling").mkdir(exist_ok=True)
        (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": EMBEDDING, **flags}))

    def write_dense(self, folder, name):
        folder.mkdir(exist_ok=True)
        rows, columns = self.tensors[name].shape
        (folder / "config.json").write_text(json.dumps({
            "in_features": columns, "out_features": rows, "bias": False,
            "activation_function": "torch.nn.modules.linear.Identity"}))
        write_safetensors(folder / "model.safetensors", {"linear.weight": self.tensors[name]})

    def folder_values(self, name):
        is_gemma = self.family["architecture"] == "gemma-embedding"
        return self.tensors[name] - np.float32(1) if is_gemma and "norm" in name else self.tensors[name]

    def folder_name(self, name):
        parts = name.split(".")
        if parts[0] != "blk":
            return f"{self.family['names'][parts[0]]}.{parts[1]}"
        return f"{self.family['block'].format(parts[1])}{self.family['modules'][parts[2]]}.{parts[3]}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--types", default="")
    parser.add_argument("--folders", action="store_true")
    parser.add_argument("--context", type=int, default=CONTEXT)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for family in options.families.split(","):
        model = Model(family, options.context)
        for type_name in filter(None, options.types.split(",")):
            model.write_gguf(options.out / f"{family}.{type_name}.gguf", type_name)
        if options.folders:
            model.write_folder(options.out / family)
