# SPDX-License-Identifier: Apache-2.0
"""Writes a llama model of half a million random weights whose text looks like words and depends on all that stands
before it, for tests of servers.

The tokenizer is SentencePiece's kind of byte pair encoding, trained here on the licence, which no change of the project
touches: the model is always the same. Which token follows which is fitted into embeddings and head, so answers are made
of pieces of words; two layers of small random weights add what hangs on earlier tokens, so that a wrong cache changes
the text. Tokens that end a text, and bytes, are all but impossible: answers run to their limit.

usage: tiny_words.py OUT.gguf [--template FILE] [--type f16|f32] [--context N] [--seed N]
"""
import argparse
import collections
import pathlib

import gguf
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[5]
SPACE = "\u2581"
VOCABULARY, WIDTH, HEADS, KV_HEADS, HEAD, FEED_FORWARD, LAYERS = 1024, 128, 4, 2, 32, 256, 2
UNKNOWN, BOS, EOS, BYTES = 0, 1, 2, 256


def words_of(lines):
    return collections.Counter(SPACE + word for line in lines for word in line.split())


def merges_of(words, count):
    """The pieces that byte pair encoding makes of the words, in the order of their making."""
    split = {word: tuple(word) for word in words}
    pieces = []
    while len(pieces) < count:
        pairs = collections.Counter()
        for word, parts in split.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] += words[word]
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merged = "".join(best)
        if merged not in pieces:
            pieces.append(merged)
        for word, parts in split.items():
            if merged in word:
                split[word] = joined(parts, best)
    return pieces, split


def joined(parts, pair):
    result = []
    for part in parts:
        if result and (result[-1], part) == pair:
            result[-1] += part
        else:
            result.append(part)
    return tuple(result)


def vocabulary(lines):
    """(pieces, scores, kinds, ids of each line)."""
    words = words_of(lines)
    letters = sorted({letter for word in words for letter in word} | {SPACE})
    room = VOCABULARY - 3 - BYTES - len(letters)
    merges, split = merges_of(words, room)
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(BYTES)] + merges + letters
    scores = [0.0] * (3 + BYTES) + [-float(rank) for rank in range(len(merges))] + [-1e3 - rank for rank in range(len(letters))]
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL] + [gguf.TokenType.BYTE] * BYTES
    kinds += [gguf.TokenType.NORMAL] * (len(merges) + len(letters))
    number = {piece: i for i, piece in enumerate(pieces)}
    texts = [[number[part] for word in line.split() for part in split[SPACE + word]] for line in lines]
    return pieces, scores, kinds, texts


def followers(texts):
    """Log-probabilities of each token behind each other one, less their mean: [before][after]."""
    counts = np.full((VOCABULARY, VOCABULARY), 0.02)
    for ids in texts:
        for before, after in zip([BOS, *ids], ids):
            counts[before, after] += 1
    counts[:, : 3 + BYTES] = 1e-9
    logs = np.log(counts / counts.sum(1, keepdims=True)).clip(-14)
    return logs - logs.mean(1, keepdims=True)


def embedding_and_head(logs):
    """Both [VOCABULARY][WIDTH]. The last column of the embedding is 1: what the head has there is said to every
    token."""
    left, _, _ = np.linalg.svd(logs, full_matrices=False)
    directions = left[:, : WIDTH - 1]
    directions *= np.sqrt(WIDTH - 1) / np.linalg.norm(directions, axis=1, keepdims=True)
    embedding = np.hstack([directions, np.ones((VOCABULARY, 1))])
    normed = embedding / np.sqrt((embedding**2).mean(1, keepdims=True))
    head = np.linalg.lstsq(normed, logs, rcond=1e-3)[0].T
    head[: 3 + BYTES] = 0
    head[: 3 + BYTES, -1] = -14
    return embedding, head


def layer(random, name):
    """The tensors of a layer. What writes to the residual leaves its last column alone."""
    def matrix(rows, columns, scale):
        return random.standard_normal((rows, columns)) / np.sqrt(columns) * scale

    def writer(columns, scale):
        result = matrix(WIDTH, columns, scale)
        result[-1] = 0
        return result

    yield f"{name}.attn_norm.weight", np.ones(WIDTH)
    yield f"{name}.ffn_norm.weight", np.ones(WIDTH)
    yield f"{name}.attn_q.weight", matrix(HEADS * HEAD, WIDTH, 1.5)
    yield f"{name}.attn_k.weight", matrix(KV_HEADS * HEAD, WIDTH, 1.5)
    yield f"{name}.attn_v.weight", matrix(KV_HEADS * HEAD, WIDTH, 1)
    yield f"{name}.attn_output.weight", writer(HEADS * HEAD, 0.7)
    yield f"{name}.ffn_gate.weight", matrix(FEED_FORWARD, WIDTH, 1)
    yield f"{name}.ffn_up.weight", matrix(FEED_FORWARD, WIDTH, 1)
    yield f"{name}.ffn_down.weight", writer(FEED_FORWARD, 0.35)


def write(path, template, kind, context, seed):
    lines = [line.strip() for line in (ROOT / "LICENSE").read_text(encoding="utf-8").splitlines() if line.strip()]
    pieces, scores, kinds, texts = vocabulary(lines)
    embedding, head = embedding_and_head(followers(texts))

    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny-words")
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([piece.encode() for piece in pieces])
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)
    writer.add_unk_token_id(UNKNOWN)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(True)
    if template:
        writer.add_chat_template(pathlib.Path(template).read_text(encoding="utf-8"))
    tensors = [("token_embd.weight", embedding), ("output.weight", head), ("output_norm.weight", np.ones(WIDTH))]
    random = np.random.default_rng(seed)
    for number in range(LAYERS):
        tensors += layer(random, f"blk.{number}")
    for name, values in tensors:
        writer.add_tensor(name, values.astype(np.float32 if kind == "f32" or values.ndim == 1 else np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out")
    parser.add_argument("--template", help="a file with a chat template; without it there is none")
    parser.add_argument("--type", default="f16", choices=("f16", "f32"))
    parser.add_argument("--context", type=int, default=8192)
    parser.add_argument("--seed", type=int, default=4)
    given = parser.parse_args()
    write(given.out, given.template, given.type, given.context, given.seed)


if __name__ == "__main__":
    main()
