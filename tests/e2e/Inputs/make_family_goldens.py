# SPDX-License-Identifier: Apache-2.0
"""Records what transformers answers for the models of tiny_models.py, in f32, into families/*.json beside this script.

    pip install torch transformers gguf && python make_family_goldens.py

Each file has the tokens of one sequence and, for some of its positions, the logits of the next token less their mean,
which is what a log-probability keeps of them.
"""
import json
import pathlib
import tempfile

import numpy as np
import torch
import transformers

import tiny_models

here = pathlib.Path(__file__).parent
POSITIONS = [0, 5, 17, 39]  # 17 and 39 are past the windows of 16, 39 past the original contexts

(here / "families").mkdir(exist_ok=True)
for family in tiny_models.FAMILIES:
    with tempfile.TemporaryDirectory() as folder:
        tiny_models.Model(family).write_folder(folder)
        model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32,
                                                                  attn_implementation="eager")
    tokens = np.random.default_rng(7).integers(0, tiny_models.VOCABULARY, POSITIONS[-1] + 1).tolist()
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0].double()
    rows = (logits - logits.mean(dim=-1, keepdim=True))[POSITIONS]
    recording = {"transformers": transformers.__version__, "tokens": tokens, "positions": POSITIONS}
    lines = ",\n".join("  [" + ", ".join(f"{x:.6g}" for x in row) + "]" for row in rows.tolist())
    text = json.dumps(recording)[:-1] + f', "logits": [\n{lines}\n]}}\n'
    (here / "families" / f"{family}.json").write_text(text)
    print(family, model.config.model_type, f"spread {rows.std():.3f}")
