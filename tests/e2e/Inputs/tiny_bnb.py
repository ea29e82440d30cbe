# SPDX-License-Identifier: Apache-2.0
"""The model of tiny_llama.py as a Hugging Face folder whose linears bitsandbytes has quantised, and what it answers.

    tiny_bnb.py FOLDER [--oracle ORACLE.json] [--kind nf4|fp4|int8] [--nested] [--tied] [--feed-forward N] [--seed N]

The encodings are written here in numpy; tests/compiler/ingest compares their reader with bitsandbytes itself.
"""
import argparse
import json
import pathlib
import struct

import numpy as np
import tiny_llama

BLOCK, NESTED_BLOCK = 64, 256
NF4 = [-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
       -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
       0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0]
FP4 = [v / 12 for v in (0, 0.0625, 8, 12, 4, 6, 2, 3)]
TABLES = {"nf4": np.array(NF4, np.float32), "fp4": np.array(FP4 + [-v for v in FP4], np.float32)}
DTYPES = {np.dtype(np.float32): "F32", np.dtype(np.float16): "F16", np.dtype(np.uint8): "U8", np.dtype(np.int8): "I8"}
MODULES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
           "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
           "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
           "token_embd": "embed_tokens", "output_norm": "norm"}


def hf_name(name):
    """`blk.0.attn_q.weight` to `model.layers.0.self_attn.q_proj.weight`."""
    parts = name.removesuffix(".weight").split(".")
    if parts == ["output"]:
        return "lm_head.weight"
    prefix = f"model.layers.{parts[1]}." if parts[0] == "blk" else "model."
    return prefix + MODULES[parts[-1]] + ".weight"


def nested_scales(absmax):
    """Magnitudes as bytes; what is stored, and what they are then."""
    table = np.linspace(-1, 1, 256).astype(np.float32)
    offset = absmax.mean()
    blocks = -(-len(absmax) // NESTED_BLOCK)
    padded = np.pad(absmax - offset, (0, blocks * NESTED_BLOCK - len(absmax))).reshape(blocks, -1)
    largest = np.abs(padded).max(axis=1).astype(np.float32)
    codes = np.abs(padded[..., None] / largest[:, None, None] - table).argmin(axis=-1).astype(np.uint8)
    scales = ((table[codes] * largest[:, None]).ravel()[:len(absmax)] + np.float32(offset)).astype(np.float32)
    stored = {".absmax": codes.ravel()[:len(absmax)], ".nested_absmax": largest, ".nested_quant_map": table}
    state = {"nested_blocksize": NESTED_BLOCK, "nested_dtype": "float32", "nested_offset": float(offset)}
    return stored, state, scales


class BnbModel(tiny_llama.Model):
    def __init__(self, options):
        self.options, self.file = options, {}
        options.types = options.rounded = "f32"
        options.vocabulary = True
        super().__init__(options)

    def matrix(self, name, rows, columns, spread=None):
        values = self.random.normal(0, spread or 1.5 / columns**0.5, (rows, columns)).astype(np.float32)
        if name in ("token_embd.weight", "output.weight"):
            values = values.astype(np.float16)
            self.file[hf_name(name)] = values
        elif self.options.kind == "int8":
            values = self.int8(hf_name(name), values)
        else:
            values = self.four_bit(hf_name(name), values)
        if "attn_q" in name or "attn_k" in name:  # the file has the halves of a head, the formulas adjacent pairs
            values = values.reshape(-1, 2, tiny_llama.HEAD_SIZE // 2, columns).swapaxes(1, 2).reshape(rows, columns)
        self.values[name] = values.astype(np.float64)

    def vector(self, name, elements):
        values = (1 + 0.1 * self.random.normal(size=elements)).astype(np.float32)
        self.file[hf_name(name)] = values
        self.values[name] = values.astype(np.float64)

    def four_bit(self, name, values):
        table = TABLES[self.options.kind]
        blocks = np.pad(values.ravel(), (0, -values.size % BLOCK)).reshape(-1, BLOCK)
        absmax = np.abs(blocks).max(axis=1)
        stored, state, scales = {".absmax": absmax}, {}, absmax
        if self.options.nested:
            stored, state, scales = nested_scales(absmax)
        codes = np.abs(blocks[..., None] / absmax[:, None, None] - table).argmin(axis=-1).astype(np.uint8)
        state |= {"quant_type": self.options.kind, "blocksize": BLOCK, "dtype": "float32", "shape": values.shape}
        flat = codes.ravel()
        stored |= {"": (flat[0::2] << 4 | flat[1::2]).reshape(-1, 1)[:(values.size + 1) // 2], ".quant_map": table,
                   f".quant_state.bitsandbytes__{self.options.kind}": np.frombuffer(json.dumps(state).encode(), np.uint8)}
        self.file |= {name + part: array for part, array in stored.items()}
        return (table[codes] * scales[:, None]).ravel()[:values.size].reshape(values.shape)

    def int8(self, name, values):
        largest = np.abs(values).max(axis=1)
        codes = np.rint(values * (127 / largest[:, None])).astype(np.int8)
        self.file |= {name: codes, name.removesuffix("weight") + "SCB": largest}
        return codes * (largest / np.float32(127)).astype(np.float16).astype(np.float32)[:, None]

    def write(self, folder):
        folder.mkdir(exist_ok=True)
        header, data = {}, b""
        for name, array in self.file.items():
            begin, data = len(data), data + np.ascontiguousarray(array).tobytes()
            header[name] = {"dtype": DTYPES[array.dtype], "shape": array.shape, "data_offsets": [begin, len(data)]}
        text = json.dumps(header).encode()
        (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
        (folder / "config.json").write_text(json.dumps(self.config()))
        (folder / "tokenizer.json").write_text(json.dumps(self.tokenizer()))

    def config(self):
        quantization = {"quant_method": "bitsandbytes", "load_in_4bit": self.options.kind != "int8",
                        "load_in_8bit": self.options.kind == "int8", "bnb_4bit_quant_type": self.options.kind,
                        "bnb_4bit_use_double_quant": self.options.nested, "llm_int8_skip_modules": ["lm_head"]}
        return {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": tiny_llama.EMBEDDING,
                "intermediate_size": self.feed_forward[0], "num_hidden_layers": tiny_llama.LAYERS,
                "num_attention_heads": tiny_llama.HEADS, "num_key_value_heads": self.kv_heads[0],
                "head_dim": tiny_llama.HEAD_SIZE, "vocab_size": self.vocabulary, "rms_norm_eps": tiny_llama.EPS,
                "max_position_embeddings": tiny_llama.CONTEXT, "rope_theta": tiny_llama.BASE, "hidden_act": "silu",
                "tie_word_embeddings": self.options.tied, "torch_dtype": "float16", "bos_token_id": 1, "eos_token_id": 2,
                "quantization_config": quantization}

    def tokenizer(self):
        tokens = ["<unk>", "<s>", "</s>"] + tiny_llama.byte_letters() + ["th", "the"]
        special = [{"id": i, "content": tokens[i], "single_word": False, "lstrip": False, "rstrip": False,
                    "normalized": False, "special": True} for i in range(3)]
        return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
                "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
                "post_processor": None,
                "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
                "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                          "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                          "vocab": {token: i for i, token in enumerate(tokens)}, "merges": [["t", "h"], ["th", "e"]]}}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--oracle")
    parser.set_defaults(alter=None)
    parser.add_argument("--kind", choices=("nf4", "fp4", "int8"), default="nf4")
    parser.add_argument("--nested", action="store_true")
    parser.add_argument("--tied", action="store_true")
    parser.add_argument("--feed-forward", default="96")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    model = BnbModel(options)
    model.write(options.folder)
    if options.oracle:
        with open(options.oracle, "w", encoding="ascii") as file:
            json.dump(model.oracle(), file)


main()
