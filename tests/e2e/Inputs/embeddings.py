# SPDX-License-Identifier: Apache-2.0
"""Compares the embeddings that llcuda-run prints of a tiny_llama.py model with numpy's.

    embeddings.py ENGINE [--types f32] [--default mean] [--cosine 0.9999]
"""
import argparse
import json
import subprocess

import numpy as np
import tiny_llama

LENGTHS = (1, 3, 8, 33, 100, 230)


def printed(engine, tokens, pooling):
    command = ["llcuda-run", engine, "--device", "host", "--embedding", "--json", "--prompt-tokens",
               ",".join(map(str, tokens))] + (["--pooling", pooling] if pooling else [])
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert answer["object"] == "list" and answer["usage"] == {"prompt_tokens": len(tokens), "total_tokens": len(tokens)}
    (one,) = answer["data"]
    assert one["object"] == "embedding" and one["index"] == 0
    return np.array(one["embedding"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("engine")
    parser.add_argument("--types", default="f32")
    parser.add_argument("--default", default="mean")
    parser.add_argument("--cosine", type=float, default=0.9999)
    options = parser.parse_args()
    model = tiny_llama.Model(argparse.Namespace(types=options.types, rounded="f32", alter=None, tied=False,
                                                vocabulary=False, seed=7))
    random, lowest = np.random.default_rng(3), 1.0
    for length in LENGTHS:
        tokens = random.integers(0, model.vocabulary, length).tolist()
        rows = model.final_rows(tokens)
        expected = {"mean": rows.mean(axis=0), "last": rows[-1], "cls": rows[0]}
        for pooling in (None, *expected):
            values, wanted = printed(options.engine, tokens, pooling), expected[pooling or options.default]
            assert abs(np.linalg.norm(values) - 1) < 1e-5, np.linalg.norm(values)
            lowest = min(lowest, float(values @ wanted / np.linalg.norm(wanted)))
    print(f"{4 * len(LENGTHS)} embeddings, lowest cosine {lowest:.7f}")
    assert lowest >= options.cosine, lowest


if __name__ == "__main__":
    main()
