# SPDX-License-Identifier: Apache-2.0
"""Records what transformers answers for the models of tiny_models.py, in f32, into families/*.json beside this script.

    pip install torch transformers gguf && python make_family_goldens.py [NAME...]

Each file has the tokens of one sequence and, for some of its positions, the logits of the next token less their mean,
which is what a log-probability keeps of them. Models that make embeddings have those of sequences of some lengths in
embeddings/*.json.
"""
import json
import pathlib
import sys
import tempfile

import numpy as np
import tiny_models
import torch
import transformers

here = pathlib.Path(__file__).parent
POSITIONS = [0, 5, 17, 39]  # 17 and 39 are past the windows of 16, 39 past the original contexts
RECORDINGS = [(family, family, tiny_models.CONTEXT, POSITIONS) for family in tiny_models.FAMILIES]
# Past the ten pages that a ring of layers with a window has.
PAST_WINDOWS = ("gemma3", "exaone4", "olmo3", "gemma4", "gemma4_shared", "gpt_oss")
RECORDINGS += [(f"{family}_window", family, 704, [511, 640, 699]) for family in PAST_WINDOWS]
# States through 700 positions.
RECORDINGS += [(f"{family}_long", family, 704, [511, 640, 699]) for family in ("lfm2", "qwen35")]

EMBEDDED_LENGTHS = (1, 7, 20, 61)  # a token, a prompt of decode's kernels, past a window of 16, nearly the context


def record_embeddings(name, model):
    """Of length 1, as sentence-transformers makes them with a Normalize module."""
    trunk, texts, random = getattr(model, "model", model), [], np.random.default_rng(11)
    for length in EMBEDDED_LENGTHS:
        tokens = random.integers(0, tiny_models.VOCABULARY, length).tolist()
        with torch.no_grad():
            rows = trunk(torch.tensor([tokens])).last_hidden_state[0].double()
        row = {"mean": rows.mean(dim=0), "cls": rows[0], "lasttoken": rows[-1]}[tiny_models.FAMILIES[name]["pooling"]]
        values = ", ".join(f"{x:.7g}" for x in (row / row.norm()).tolist())
        texts.append(f' {{"tokens": {tokens}, "embedding": [{values}]}}')
    (here / "embeddings").mkdir(exist_ok=True)
    text = f'{{"transformers": "{transformers.__version__}", "texts": [\n' + ",\n".join(texts) + "\n]}\n"
    (here / "embeddings" / f"{name}.json").write_text(text)


(here / "families").mkdir(exist_ok=True)
for name, family, context, positions in RECORDINGS:
    if sys.argv[1:] and name not in sys.argv[1:]:
        continue
    with tempfile.TemporaryDirectory() as folder:
        tiny_models.Model(family, context).write_folder(folder)
        model_class = getattr(transformers, tiny_models.FAMILIES[family]["class"])
        model = model_class.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    if "pooling" in tiny_models.FAMILIES[family]:
        record_embeddings(name, model)
    tokens = np.random.default_rng(7).integers(0, tiny_models.VOCABULARY, positions[-1] + 1).tolist()
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0].double()
    rows = (logits - logits.mean(dim=-1, keepdim=True))[positions]
    recording = {"transformers": transformers.__version__, "tokens": tokens, "positions": positions}
    lines = ",\n".join("  [" + ", ".join(f"{x:.6g}" for x in row) + "]" for row in rows.tolist())
    text = json.dumps(recording)[:-1] + f', "logits": [\n{lines}\n]}}\n'
    (here / "families" / f"{name}.json").write_text(text)
    print(name, model.config.model_type, f"spread {rows.std():.3f}")
