# SPDX-License-Identifier: Apache-2.0
"""Commands that measure: runs them, keeps what they said, and puts the engines' figures beside each other."""
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Log:
    def __init__(self, environment=None):
        self.environment = environment
        self.entries = []  # of {"model", "engine" ("llcuda" or "llama.cpp"), "command", "seconds", "results" or
                           # "error"}

    def run(self, model, engine, command, parse=json.loads):
        """The entry; it has "results" when the command succeeded."""
        entry = {"model": model, "engine": engine, "command": " ".join(command)}
        self.entries.append(entry)
        start = time.monotonic()
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", env=self.environment)
            code, said, failure = done.returncode, done.stdout, done.stderr
        except OSError as error:
            code, said, failure = -1, "", str(error)
        entry["seconds"] = round(time.monotonic() - start, 2)
        if code != 0:
            entry["error"] = (failure.strip().splitlines() or [f"exit code {code}"])[-1]
            print(f"{engine} {model}: {entry['error']}", file=sys.stderr)
        else:
            entry["results"] = parse(said)
        return entry

    def failed(self):
        return any("error" in entry for entry in self.entries)


def make_synthetic(model, folder):
    """A file of the shape and encodings of `llama-1b:q4_k_m`."""
    path = os.path.join(folder, model.replace(":", "-") + ".gguf")
    subprocess.run([sys.executable, os.path.join(HERE, "synthetic_model.py"), *model.split(":"), path], check=True)
    return path


def peer_command(folder):
    """llama-bench of a folder, or what stands for it where the folder has llama.cpp's libraries alone."""
    program = os.path.join(folder, "llama-bench")
    if os.path.isfile(program):
        return [program]
    return [sys.executable, os.path.join(HERE, "llama_library_bench.py"), "--libraries", folder]


def test_name(row):
    name = f"pp{row['n_prompt']}" if row["n_prompt"] else f"tg{row['n_gen']}"
    return name + (f" @ d{row['n_depth']}" if row["n_depth"] else "")


def speeds(entries):
    """{(model, test): {engine: tokens per second}}, the mean over entries; the first "warmup_repetitions" do not
    count."""
    samples = {}
    for entry in entries:
        rows = entry.get("results")
        for row in rows if isinstance(rows, list) else []:
            warm = row["samples_ts"][entry.get("warmup_repetitions", 0):]
            engines = samples.setdefault((entry["model"], test_name(row)), {})
            engines.setdefault(entry["engine"], []).append(statistics.mean(warm))
    return {test: {engine: statistics.mean(values) for engine, values in engines.items()} for test, engines in samples.items()}


def table(entries, notes=None):
    """The speeds as a Markdown table; `notes` is a heading and a function of model and test, for a last column."""
    heading, note = notes or ("", None)
    lines = ["| model | test | llcuda, tok/s | llama.cpp, tok/s | ratio |" + (f" {heading} |" if note else ""),
             "|---|---|---:|---:|---:|" + ("---|" if note else "")]
    for (model, test), row in speeds(entries).items():
        ours, theirs = row.get("llcuda"), row.get("llama.cpp")
        ratio = f"{ours / theirs:.2f}" if ours and theirs else ""
        figures = [f"{speed:.1f}" if speed else "" for speed in (ours, theirs)]
        lines.append(f"| {model} | {test} | {figures[0]} | {figures[1]} | {ratio} |" + (f" {note(model, test)} |" if note else ""))
    return "\n".join(lines)
