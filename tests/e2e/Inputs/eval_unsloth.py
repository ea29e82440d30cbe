# SPDX-License-Identifier: Apache-2.0
"""Holds llcuda's interpreter to the answers that unsloth_folders.py recorded: usage: eval_unsloth.py LLCUDA_EVAL FOLDER

Merged models to a normalised squared error of 1e-6. Adapters to 1e-5: they are merged into f16, which keeps 11 bits of
a sum.
"""
import json
import pathlib
import subprocess
import sys

BOUNDS = {"_merged_16bit": 1e-6, "_lora": 1e-5}


def error_of(evaluate, recording):
    model = recording.with_suffix("")
    base = ["--base", str(model).removesuffix("_lora")] if model.name.endswith("_lora") else []
    command = [evaluate, str(model), *base, "--logits", str(recording), "--json"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode not in (0, 4):  # 4: above the bound of models that nothing rounds
        raise SystemExit(f"{' '.join(command)} ended with {run.returncode}: {run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])["squared_error"]


def main(evaluate, folder):
    recordings = sorted(pathlib.Path(folder).glob("*.json"))
    failed = not recordings
    for recording in recordings:
        bound = next(bound for end, bound in BOUNDS.items() if recording.stem.endswith(end))
        error = error_of(evaluate, recording)
        print(f"{recording.stem}: {error:.3g}, at most {bound:g}", flush=True)
        failed |= not error <= bound
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
