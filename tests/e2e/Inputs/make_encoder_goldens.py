# SPDX-License-Identifier: Apache-2.0
"""Records what transformers answers for the models of tiny_encoders.py, in f32.

    pip install torch transformers gguf && python make_encoder_goldens.py [NAME...]

families/NAME.json has the tokens of one text and, for some of its positions, the row less its mean; with the linears
behind the rows, where the model has them. NAME_window.json is of 700 tokens. embeddings/NAME.json has the embeddings
of texts of some lengths, of length 1.
"""
import json
import pathlib
import sys
import tempfile

import numpy as np
import tiny_encoders
import torch
import transformers

here = pathlib.Path(__file__).parent
LENGTHS = (1, 7, 20, 61)  # a token, half a window of 16, past one, nearly the context


def opened(name, context):
    with tempfile.TemporaryDirectory() as folder:
        model = tiny_encoders.Model(name, context)
        model.write_folder(folder)
        model_class = getattr(transformers, tiny_encoders.FAMILIES[name]["class"])
        return model, model_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")


def rows_of(tiny, model, tokens):
    with torch.no_grad():
        rows = model(torch.tensor([tokens])).last_hidden_state[0].double()
    for name in ("dense_2.weight", "dense_3.weight"):
        if name in tiny.tensors:
            rows = rows @ torch.tensor(tiny.tensors[name]).double().T
    return rows


def record_rows(path, tiny, model, positions):
    tokens = np.random.default_rng(7).integers(0, tiny_encoders.VOCABULARY, positions[-1] + 1).tolist()
    rows = rows_of(tiny, model, tokens)
    rows = (rows - rows.mean(dim=-1, keepdim=True))[positions]
    recording = {"transformers": transformers.__version__, "tokens": tokens, "positions": positions}
    lines = ",\n".join("  [" + ", ".join(f"{x:.7g}" for x in row) + "]" for row in rows.tolist())
    path.write_text(json.dumps(recording)[:-1] + f', "logits": [\n{lines}\n]}}\n')
    print(path.stem, f"spread {rows.std():.3f}")


def record_embeddings(path, tiny, model):
    texts, random = [], np.random.default_rng(11)
    for length in LENGTHS:
        tokens = random.integers(0, tiny_encoders.VOCABULARY, length).tolist()
        rows = rows_of(tiny, model, tokens)
        row = {"mean": rows.mean(dim=0), "cls": rows[0]}[tiny.family["pooling"]]
        values = ", ".join(f"{x:.8g}" for x in (row / row.norm()).tolist())
        texts.append(f' {{"tokens": {tokens}, "embedding": [{values}]}}')
    path.write_text(f'{{"transformers": "{transformers.__version__}", "texts": [\n' + ",\n".join(texts) + "\n]}\n")


for name in sys.argv[1:] or tiny_encoders.FAMILIES:
    tiny, model = opened(name, tiny_encoders.CONTEXT)
    record_rows(here / "families" / f"{name}.json", tiny, model, [0, 5, 17, 39])
    record_embeddings(here / "embeddings" / f"{name}.json", tiny, model)
    tiny, model = opened(name, 704)
    record_rows(here / "families" / f"{name}_window.json", tiny, model, [0, 64, 350, 699])
