# SPDX-License-Identifier: Apache-2.0
"""Writes a tiny gpt-oss with random weights, a byte for each token, the special tokens of harmony and a template with
channels: channel_model.py OUT.gguf"""
import pathlib
import sys

import gguf

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[3] / "e2e/Inputs"))
import tiny_models  # noqa: E402

SPECIAL = ("<|startoftext|>", "<|return|>", "<|constrain|>", "<|channel|>", "<|start|>", "<|end|>", "<|message|>", "<|call|>")
NORMAL = 257  # bytes, and what the one merge makes
IDS = {text: NORMAL + i for i, text in enumerate(SPECIAL)}


def byte_texts():
    """A character for each byte, as byte-level vocabularies write them."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


class ChannelModel(tiny_models.Model):
    def write_tokenizer(self, writer):
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("gpt-4o")
        writer.add_token_list([text.encode() for text in (*byte_texts(), "th", *SPECIAL)])
        writer.add_token_types([gguf.TokenType.NORMAL] * NORMAL + [gguf.TokenType.CONTROL] * len(SPECIAL))
        writer.add_token_merges(["t h"])
        writer.add_bos_token_id(IDS["<|startoftext|>"])
        writer.add_eos_token_id(IDS["<|return|>"])
        writer.add_add_bos_token(False)
        writer.add_chat_template((HERE / "channels.jinja").read_text(encoding="utf-8"))


if __name__ == "__main__":
    tiny_models.VOCABULARY = NORMAL + len(SPECIAL)
    ChannelModel("gpt_oss", context=1024).write_gguf(sys.argv[1], "q8_0")
