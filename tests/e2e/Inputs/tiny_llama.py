# SPDX-License-Identifier: Apache-2.0
"""A tiny llama model with random weights as a GGUF, and what it answers, computed here in numpy from the stored
weights.

    tiny_llama.py MODEL.gguf [--oracle ORACLE.json] [--types q8_0,q4_0,...] [--rounded q8_0,...] [--tied] [--vocabulary]
                  [--seed N] [--heads N] [--head-size 32,32] [--kv-heads 2,2] [--feed-forward 96,96] [--shared-cache]
                  [--adapter FOLDER] [--alter TENSOR] [--drop KEY_OR_TENSOR] [--extra TENSOR] [--set KEY=VALUE]
                  [--misshape TENSOR]

The linears of a layer take the encodings of `--types` in turn; with `--rounded` their values are those of other
encodings, which an f32 model can then be quantised to without a loss. With `--shared-cache` the second layer
attends over the cache of the first. `--adapter` writes a LoRA adapter for the model, as PEFT saves it, and the oracle
is that of the merged model. `--oracle` writes greedy continuations of random prompts with the five best
log-probabilities of each step, like the recordings beside this script.
"""
import argparse
import json
import pathlib
import struct

import gguf
import numpy as np

LAYERS, EMBEDDING, HEADS, HEAD_SIZE, CONTEXT = 2, 64, 4, 32, 256
BASE, EPS = 10000.0, 1e-5
TYPES = {name: gguf.GGMLQuantizationType[name.upper()] for name in
         ("f32", "f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0")}


def byte_letters():
    """The letters that stand for bytes in byte-level BPE."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, hidden = {}, 0
    for byte in range(256):
        if byte in visible:
            letters[byte] = chr(byte)
        else:
            letters[byte] = chr(256 + hidden)
            hidden += 1
    return [letters[byte] for byte in range(256)]


def numbers(text):
    """One for each layer, or the same for all."""
    given = [int(number) for number in text.split(",")]
    return given * LAYERS if len(given) == 1 else given


def one_or_each(values):
    return values[0] if len(set(values)) == 1 else values


def write_adapter(folder, tensors):
    folder.mkdir(exist_ok=True)
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 16, "base_model_name_or_path": "someone/tiny-llama"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    header, data = {}, b""
    for name, values in tensors.items():
        begin, data = len(data), data + values.tobytes()
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


class Model:
    def __init__(self, options):
        self.random = np.random.default_rng(options.seed)
        self.types = [TYPES[name] for name in options.types.split(",")]
        self.rounded = [TYPES[name] for name in options.rounded.split(",")]
        self.kv_heads = numbers(getattr(options, "kv_heads", "2"))
        self.feed_forward = numbers(getattr(options, "feed_forward", "96"))
        self.head_sizes = numbers(getattr(options, "head_size", str(HEAD_SIZE)))
        self.shared_cache = getattr(options, "shared_cache", False)
        self.vocabulary = 261 if options.vocabulary else 160
        self.stored, self.values, self.turn, self.altered = {}, {}, 0, options.alter
        self.matrix("token_embd.weight", self.vocabulary, EMBEDDING, 1.0)
        for i in range(LAYERS):
            block, columns, kv_columns = f"blk.{i}.", HEADS * self.head_sizes[i], self.kv_heads[i] * self.head_sizes[i]
            self.vector(block + "attn_norm.weight", EMBEDDING)
            self.matrix(block + "attn_q.weight", columns, EMBEDDING)
            if i == 0 or not self.shared_cache:
                self.matrix(block + "attn_k.weight", kv_columns, EMBEDDING)
                self.matrix(block + "attn_v.weight", kv_columns, EMBEDDING)
            self.matrix(block + "attn_output.weight", EMBEDDING, columns)
            self.vector(block + "ffn_norm.weight", EMBEDDING)
            self.matrix(block + "ffn_gate.weight", self.feed_forward[i], EMBEDDING)
            self.matrix(block + "ffn_up.weight", self.feed_forward[i], EMBEDDING)
            self.matrix(block + "ffn_down.weight", EMBEDDING, self.feed_forward[i])
        self.vector("output_norm.weight", EMBEDDING)
        if not options.tied:
            self.matrix("output.weight", self.vocabulary, EMBEDDING)

    def matrix(self, name, rows, columns, spread=None):
        values = self.random.normal(0, spread or 1.5 / columns**0.5, (rows, columns)).astype(np.float32)
        rounded = self.rounded[self.turn % len(self.rounded)]
        values = gguf.quants.dequantize(gguf.quants.quantize(values, rounded), rounded)
        if name == self.altered:
            values *= 1.5
        kind = self.types[self.turn % len(self.types)]
        self.turn += 1
        encoded = values if kind == TYPES["f32"] else gguf.quants.quantize(values, kind)
        self.stored[name] = (encoded, kind)
        self.values[name] = gguf.quants.dequantize(encoded, kind).astype(np.float64).reshape(rows, columns)

    def vector(self, name, elements):
        values = (1 + 0.1 * self.random.normal(size=elements)).astype(np.float32)
        self.stored[name] = (values, TYPES["f32"])
        self.values[name] = values.astype(np.float64)

    def merge_adapter(self, folder):
        """Rank 4, scale 16 / 4, random; rows of queries and keys are in Hugging Face's order there."""
        modules = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
                   "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_down": "mlp.down_proj"}
        tensors = {}
        for i in range(LAYERS):
            for gguf_name, module in modules.items():
                if f"blk.{i}.{gguf_name}.weight" not in self.values:
                    continue
                weight = self.values[f"blk.{i}.{gguf_name}.weight"]
                a, b = (self.random.normal(0, 0.1, shape).astype(np.float32) for shape in
                        ((4, weight.shape[1]), (weight.shape[0], 4)))
                name = f"base_model.model.model.layers.{i}.{module}"
                tensors |= {name + ".lora_A.weight": a, name + ".lora_B.weight": b}
                if gguf_name in ("attn_q", "attn_k"):  # [head][half][pair] to [head][pair][half]
                    b = b.reshape(-1, 2, self.head_sizes[i] // 2, 4).swapaxes(1, 2).reshape(-1, 4)
                weight += 4 * b.astype(np.float64) @ a
        write_adapter(pathlib.Path(folder), tensors)

    def norm(self, x, name):
        return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + EPS) * self.values[name]

    def turned(self, x):
        """x is [tokens, heads, head size]; pairs are adjacent."""
        size = x.shape[-1]
        angles = np.arange(len(x))[:, None] * BASE ** (-np.arange(0, size, 2) / size)
        c, s = np.cos(angles)[:, None, :], np.sin(angles)[:, None, :]
        y = np.empty_like(x)
        y[..., 0::2] = x[..., 0::2] * c - x[..., 1::2] * s
        y[..., 1::2] = x[..., 0::2] * s + x[..., 1::2] * c
        return y

    def final_rows(self, tokens):
        """[tokens, embedding] as the last norm leaves them, in double, straight from the formulas."""
        get, count = self.values, len(tokens)
        x = get["token_embd.weight"][tokens]
        mask = np.triu(np.full((count, count), -np.inf), 1)
        for i in range(LAYERS):
            block, size = f"blk.{i}.", self.head_sizes[i]
            h = self.norm(x, block + "attn_norm.weight")
            q = self.turned((h @ get[block + "attn_q.weight"].T).reshape(count, HEADS, size))
            if i == 0 or not self.shared_cache:
                k = self.turned((h @ get[block + "attn_k.weight"].T).reshape(count, self.kv_heads[i], size))
                v = (h @ get[block + "attn_v.weight"].T).reshape(count, self.kv_heads[i], size)
                k, v = (np.repeat(z, HEADS // self.kv_heads[i], axis=1) for z in (k, v))
            scores = np.einsum("ihd,jhd->hij", q, k) / size**0.5 + mask
            weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
            weights /= weights.sum(axis=-1, keepdims=True)
            attended = np.einsum("hij,jhd->ihd", weights, v).reshape(count, -1)
            x = x + attended @ get[block + "attn_output.weight"].T
            h = self.norm(x, block + "ffn_norm.weight")
            gate, up = h @ get[block + "ffn_gate.weight"].T, h @ get[block + "ffn_up.weight"].T
            x = x + (gate / (1 + np.exp(-gate)) * up) @ get[block + "ffn_down.weight"].T
        return self.norm(x, "output_norm.weight")

    def log_probabilities(self, tokens):
        """[tokens, vocabulary] in double."""
        head = self.values.get("output.weight", self.values["token_embd.weight"])
        logits = self.final_rows(tokens) @ head.T
        highest = logits.max(axis=-1, keepdims=True)
        return logits - highest - np.log(np.exp(logits - highest).sum(axis=-1, keepdims=True))

    def oracle(self):
        cases = []
        for length in (1, 5, 19, 40):
            prompt = self.random.integers(0, self.vocabulary, length).tolist()
            tokens, top = [], []
            for _ in range(12):
                row = self.log_probabilities(prompt + tokens)[-1]
                best = np.argsort(-row, kind="stable")[:5]
                top.append([[int(id), float(row[id])] for id in best])
                tokens.append(int(best[0]))
            cases.append({"prompt_tokens": prompt, "tokens": tokens, "top": top})
        return {"model": "tiny llama", "cases": cases}

    def write(self, path, options):
        entries = {
            "llama.block_count": LAYERS, "llama.context_length": CONTEXT, "llama.embedding_length": EMBEDDING,
            "llama.feed_forward_length": one_or_each(self.feed_forward), "llama.attention.head_count": HEADS,
            "llama.attention.head_count_kv": one_or_each(self.kv_heads),
            "llama.attention.key_length": one_or_each(self.head_sizes),
            "llama.attention.value_length": one_or_each(self.head_sizes),
            "llama.rope.freq_base": BASE, "llama.attention.layer_norm_rms_epsilon": EPS,
            "llama.vocab_size": self.vocabulary,
        }
        if len(set(self.head_sizes)) == 1:
            entries["llama.rope.dimension_count"] = self.head_sizes[0]
        if self.shared_cache:
            entries["llama.attention.shared_kv_layers"] = 1
        architecture = "llama"
        for pair in options.set:
            key, value = pair.split("=", 1)
            if key == "general.architecture":
                architecture = value
            else:
                entries[key] = int(value) if value.lstrip("-").isdigit() else value
        writer = gguf.GGUFWriter(path, architecture)
        writer.add_string("general.name", "tiny llama")
        for key, value in entries.items():
            if key not in options.drop:
                add = {int: writer.add_uint32, float: writer.add_float32, str: writer.add_string, list: writer.add_array}
                add[type(value)](key, value)
        if options.vocabulary:
            writer.add_string("tokenizer.ggml.model", "gpt2")
            writer.add_string("tokenizer.ggml.pre", "smollm")
            writer.add_array("tokenizer.ggml.tokens", ["<unk>", "<s>", "</s>"] + byte_letters() + ["th", "the"])
            writer.add_array("tokenizer.ggml.token_type", [3, 3, 3] + [1] * 258)
            writer.add_array("tokenizer.ggml.merges", ["t h", "th e"])
            writer.add_uint32("tokenizer.ggml.bos_token_id", 1)
            writer.add_uint32("tokenizer.ggml.eos_token_id", 2)
        else:
            writer.add_string("tokenizer.ggml.model", "no_vocab")
        for name, (values, kind) in self.stored.items():
            if name in options.misshape:
                values = values[:-1]
            if name not in options.drop:
                writer.add_tensor(name, values, raw_dtype=kind)
        for name in options.extra:
            writer.add_tensor(name, np.zeros(32, np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


def main():
    global HEADS
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--oracle")
    parser.add_argument("--adapter")
    parser.add_argument("--types", default="f32")
    parser.add_argument("--rounded", default="f32")
    parser.add_argument("--kv-heads", default="2")
    parser.add_argument("--feed-forward", default="96")
    parser.add_argument("--alter")
    parser.add_argument("--tied", action="store_true")
    parser.add_argument("--vocabulary", action="store_true")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--heads", type=int, default=HEADS)
    parser.add_argument("--head-size", default=str(HEAD_SIZE))
    parser.add_argument("--shared-cache", action="store_true")
    for flag in ("--drop", "--extra", "--set", "--misshape"):
        parser.add_argument(flag, action="append", default=[])
    options = parser.parse_args()
    HEADS = options.heads
    model = Model(options)
    model.write(options.model, options)
    if options.adapter:
        model.merge_adapter(options.adapter)
    if options.oracle:
        with open(options.oracle, "w") as file:
            json.dump(model.oracle(), file)


if __name__ == "__main__":
    main()
