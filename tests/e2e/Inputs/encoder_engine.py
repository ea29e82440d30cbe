# SPDX-License-Identifier: Apache-2.0
"""Holds the embeddings of an encoder's engine to those that transformers made, each text alone and all in one batch.

    encoder_engine.py ENGINE embeddings/FAMILY.json [--nmse 1e-5]

Cosines are at least 0.9999 or, where more is allowed, 1 - NMSE.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import embeddings
import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("engine")
parser.add_argument("goldens", type=pathlib.Path)
parser.add_argument("--nmse", type=float, default=1e-5)
options = parser.parse_args()

texts = json.loads(options.goldens.read_text())["texts"]
wanted = [np.array(text["embedding"]) for text in texts]
alone = [embeddings.printed(options.engine, text["tokens"], None) for text in texts]

# Among others: twice over, so that some of one run are longer than others.
lines = [json.dumps({"custom_id": str(i), "method": "POST", "url": "/v1/embeddings", "body": {"input": texts[i % len(texts)]["tokens"]}})
         for i in range(2 * len(texts))]
with tempfile.TemporaryDirectory() as folder:
    given, made = pathlib.Path(folder, "in.jsonl"), pathlib.Path(folder, "out.jsonl")
    given.write_text("\n".join(lines) + "\n")
    subprocess.run(["llcuda-run", options.engine, "--device", "host", "--batch", given, "-o", made], check=True)
    records = [json.loads(line) for line in made.read_text().splitlines()]
together = {int(record["custom_id"]): np.array(record["response"]["body"]["data"][0]["embedding"])
            for record in records}

errors = [float(np.sum((made - true) ** 2)) for made, true in zip(alone, wanted)]
apart = [float(np.sum((made - alone[i % len(texts)]) ** 2)) for i, made in together.items()]
cosines = [float(made @ true) for made, true in zip(alone, wanted)]
print(f"{len(texts)} texts: NMSE {max(errors):.3g}, lowest cosine {min(cosines):.7f}; "
      f"{len(together)} of one batch: {max(apart):.3g} from alone")
assert len(together) == len(lines) and max(errors) <= options.nmse and min(cosines) >= 1 - max(1e-4, options.nmse), (errors, cosines)
assert max(apart) <= options.nmse, apart
