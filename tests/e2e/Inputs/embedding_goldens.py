# SPDX-License-Identifier: Apache-2.0
"""Holds the embeddings that llcuda-run prints to those that transformers made: a cosine of at least 0.9999 each.

    embedding_goldens.py ENGINE embeddings/FAMILY.json
"""
import json
import pathlib
import sys

import embeddings
import numpy as np

engine, goldens = sys.argv[1:]
cosines = [float(embeddings.printed(engine, text["tokens"], None) @ np.array(text["embedding"]))
           for text in json.loads(pathlib.Path(goldens).read_text())["texts"]]
print(f"{len(cosines)} embeddings, lowest cosine {min(cosines):.7f}")
assert len(cosines) == 4 and min(cosines) >= 0.9999, cosines
