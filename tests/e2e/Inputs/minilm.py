# SPDX-License-Identifier: Apache-2.0
"""all-MiniLM-L6-v2, a real model: its token ids and embeddings beside those of sentence-transformers.

minilm.py make FOLDER    writes minilm.json beside this script (needs sentence-transformers)
minilm.py check ENGINE   compares minilm.json with llcuda-run, text by text
"""
import json
import pathlib
import subprocess
import sys

GOLDENS = pathlib.Path(__file__).parent / "minilm.json"
# The last has as many tokens as the model takes.
TEXTS = ["", "This is an example sentence", "Each sentence is converted", "Stra\u00dfe, caf\u00e9 & na\u00efve: DON'T PANIC!!",
         "\u4e2d\u6587\u5b57\u7b26 and \u65e5\u672c\u8a9e", "\U0001f916\U0001f469\u200d\U0001f467 x\u200by \ufffd",
         "antidisestablishmentarianism " * 20, "word " * 254]


def make(folder):
    from sentence_transformers import SentenceTransformer
    model = SentenceTransformer(folder, device="cpu")
    tokenizer = model.tokenizer
    texts = [{"ids": tokenizer(text)["input_ids"], "embedding": [float(f"{x:.7g}") for x in model.encode(text)]}
             for text in TEXTS]
    lines = ",\n".join(json.dumps(text) for text in texts)
    GOLDENS.write_text(f"[\n{lines}\n]\n")


def check(engine):
    lowest = 1.0
    for text, golden in zip(TEXTS, json.loads(GOLDENS.read_text())):
        ids = subprocess.run(["llcuda-tokenize", "-m", engine, "--ids", "-p", text], check=True, capture_output=True,
                             text=True).stdout
        assert json.loads(ids) == golden["ids"], (text, ids, golden["ids"])
        answer = subprocess.run(["llcuda-run", engine, "--device", "host", "--embedding", "--json", "-p", text],
                                check=True, capture_output=True, text=True).stdout
        values = json.loads(answer)["data"][0]["embedding"]
        lowest = min(lowest, sum(a * b for a, b in zip(values, golden["embedding"])))
    print(f"{len(TEXTS)} texts, lowest cosine {lowest:.7f}")
    assert lowest >= 0.9999, lowest


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](sys.argv[2])
