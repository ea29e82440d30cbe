# SPDX-License-Identifier: Apache-2.0
"""A GGUF file that holds a small vocabulary alone: write_vocabulary.py MODEL PRE OUT"""
import sys

import gguf

NORMAL, UNKNOWN, CONTROL, BYTE = (gguf.TokenType.NORMAL, gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL,
                                  gguf.TokenType.BYTE)


def spm_tokens():
    yield "<unk>", 0.0, UNKNOWN
    yield "<s>", 0.0, CONTROL
    yield "</s>", 0.0, CONTROL
    for byte in range(256):
        yield f"<0x{byte:02X}>", 0.0, BYTE
    for rank, text in enumerate(["▁", "a", "b", "ab", "▁ab"]):
        yield text, -1.0 if text == "▁ab" else -float(rank) - 2.0, NORMAL


def bpe_tokens():
    for text in ("a", "b", "ab"):
        yield text, 0.0, NORMAL


def main(model, pre, out):
    writer = gguf.GGUFWriter(out, "llama")
    writer.add_tokenizer_model(model)
    writer.add_tokenizer_pre(pre)
    texts, scores, kinds = zip(*(spm_tokens() if model == "llama" else bpe_tokens()))
    writer.add_token_list(list(texts))
    writer.add_token_scores(list(scores))
    writer.add_token_types(list(kinds))
    if model == "gpt2":
        writer.add_token_merges(["a b"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


main(*sys.argv[1:])
