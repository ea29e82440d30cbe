#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures llcuda on a GPU, and llama.cpp beside it on the same files in the same run.

usage: bench_gpu.py --bin build/release/bin [--peer DIR] [--models llama-1b:q4_k_m,...] [--files MODEL.gguf,...]
                    [--work DIR] [--out results.json]

Synthetic models (synthetic_model.py) are made in the work folder and deleted after their turn. Each model is compiled
for the GPU, then measured: pp512, tg128, tg128 at depth 4096, and with --batch decode of many sequences. --peer is a
folder with llama-bench and llama-batched-bench. Every command and its figures go to the results file.
"""
import argparse
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Bench:
    def __init__(self, options):
        self.options = options
        self.log = []  # of {"model", "engine" ("llcuda" or "llama.cpp"), "command", "seconds", "results" or "error"}

    def run(self, model, engine, command, parse=json.loads):
        start = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        entry = {"model": model, "engine": engine, "command": " ".join(command), "seconds": round(time.monotonic() - start, 2)}
        self.log.append(entry)
        if done.returncode != 0:
            entry["error"] = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            print(f"{engine} {model}: {entry['error']}", file=sys.stderr)
            return None
        entry["results"] = parse(done.stdout)
        return entry["results"]

    def tool(self, name):
        return os.path.join(self.options.bin, name)

    def llcuda(self, model, path):
        engine = path + ".engine"
        context = str(max(self.options.depths) + 1024)
        extra = self.options.compile_flags.split()
        compiled = self.run(model, "llcuda", [self.tool("llcuda-compile"), path, "-o", engine, "-c", context, "-j",
                                              str(os.cpu_count()), *extra], parse=lambda text: text)
        if compiled is None:
            return
        for flags in self.bench_flags():
            self.run(model, "llcuda", [self.tool("llcuda-bench"), "-m", engine, "-o", "json", *flags])
        os.remove(engine)

    def peer(self, model, path):
        for flags in self.bench_flags():
            self.run(model, "llama.cpp", [os.path.join(self.options.peer, "llama-bench"), "-m", path, "-ngl", "99", "-fa", "1",
                                          "-o", "json", *flags])

    def bench_flags(self):
        for depth in self.options.depths:
            prompt = self.options.prompt if depth == 0 else 0
            yield ["-p", str(prompt), "-n", str(self.options.generate), "-d", str(depth), "-r", str(self.options.repetitions)]

    def measure(self, model, path):
        self.llcuda(model, path)
        if self.options.peer:
            self.peer(model, path)

    def all(self):
        for model in filter(None, self.options.models.split(",")):
            path = os.path.join(self.options.work, model.replace(":", "-") + ".gguf")
            subprocess.run([sys.executable, os.path.join(HERE, "synthetic_model.py"), *model.split(":"), path], check=True)
            self.measure(model, path)
            os.remove(path)
        for path in filter(None, self.options.files.split(",")):
            self.measure(os.path.basename(path), path)


def speeds(log):
    """{(model, test): {engine: tokens per second}}"""
    table = {}
    for entry in log:
        rows = entry.get("results")
        for row in rows if isinstance(rows, list) else []:
            test = f"pp{row['n_prompt']}" if row["n_prompt"] else f"tg{row['n_gen']}"
            test += f" @ d{row['n_depth']}" if row["n_depth"] else ""
            table.setdefault((entry["model"], test), {})[entry["engine"]] = row["avg_ts"]
    return table


def print_table(log):
    print("| model | test | llcuda, tok/s | llama.cpp, tok/s | ratio |\n|---|---|---:|---:|---:|")
    for (model, test), row in speeds(log).items():
        ours, theirs = row.get("llcuda"), row.get("llama.cpp")
        ratio = f"{ours / theirs:.2f}" if ours and theirs else ""
        print(f"| {model} | {test} | {ours and f'{ours:.1f}' or ''} | {theirs and f'{theirs:.1f}' or ''} | {ratio} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/release/bin")
    parser.add_argument("--peer", help="folder with llama-bench")
    parser.add_argument("--models", default="llama-1b:q4_k_m,llama-3b:q4_k_m,llama-8b:q4_k_m")
    parser.add_argument("--files", default="", help="real model files to measure as well")
    parser.add_argument("--work", default=".")
    parser.add_argument("--depths", type=lambda text: [int(part) for part in text.split(",")], default=[0, 4096])
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--generate", type=int, default=128)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--compile-flags", default="")
    parser.add_argument("--out", default="results.json")
    bench = Bench(parser.parse_args())
    try:
        bench.all()
    finally:
        with open(bench.options.out, "w") as out:
            json.dump(bench.log, out, indent=1)
    print_table(bench.log)
    return 1 if any("error" in entry for entry in bench.log) else 0


if __name__ == "__main__":
    sys.exit(main())
