#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures llcuda on a GPU, and llama.cpp beside it on the same files in the same run.

usage: bench_gpu.py --bin build/release/bin [--peer DIR] [--models llama-1b:q4_k_m,...] [--files MODEL.gguf,...]
                    [--sms N] [--work DIR] [--out results.json]

Synthetic models (synthetic_model.py) are made in the work folder and deleted after their turn. Each model is compiled
for the GPU, then measured: pp512, tg128, tg128 at depth 4096, and with --batch decode of many sequences. --peer is a
folder with llama-bench, or with llama.cpp's libraries (fetch.py). With --sms 40 both have 40 multiprocessors of it,
as many as a T4 (multiprocessors.py). Every command and its figures go to the results file.
"""
import argparse
import json
import os
import sys

from bench_log import Log, make_synthetic, peer_command, table
from multiprocessors import NO_GPU, MpsError, limited_to


class Bench:
    def __init__(self, options, environment=None):
        self.options = options
        self.log = Log(environment)

    def tool(self, name):
        return os.path.join(self.options.bin, name)

    def llcuda(self, model, path):
        engine = path + ".engine"
        context = str(max(self.options.depths) + 1024)
        extra = self.options.compile_flags.split()
        compiled = self.log.run(model, "llcuda", [self.tool("llcuda-compile"), path, "-o", engine, "-c", context, "-j",
                                                  str(os.cpu_count()), *extra], parse=lambda text: text)
        if "error" in compiled:
            return
        for flags in self.bench_flags():
            self.log.run(model, "llcuda", [self.tool("llcuda-bench"), "-m", engine, "-o", "json", *flags])
        os.remove(engine)

    def peer(self, model, path):
        for flags in self.bench_flags():
            self.log.run(model, "llama.cpp", [*peer_command(self.options.peer), "-m", path, "-ngl", "99", "-fa", "1", "-o",
                                              "json", *flags])

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
            path = make_synthetic(model, self.options.work)
            self.measure(model, path)
            os.remove(path)
        for path in filter(None, self.options.files.split(",")):
            self.measure(os.path.basename(path), path)


def measured(options, environment=None):
    bench = Bench(options, environment)
    try:
        bench.all()
    finally:
        with open(options.out, "w") as out:
            json.dump(bench.log.entries, out, indent=1)
    print(table(bench.log.entries))
    return 1 if bench.log.failed() else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/release/bin")
    parser.add_argument("--peer", help="folder with llama-bench, or with llama.cpp's libraries")
    parser.add_argument("--models", default="llama-1b:q4_k_m,llama-3b:q4_k_m,llama-8b:q4_k_m")
    parser.add_argument("--files", default="", help="real model files to measure as well")
    parser.add_argument("--work", default=".")
    parser.add_argument("--depths", type=lambda text: [int(part) for part in text.split(",")], default=[0, 4096])
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--generate", type=int, default=128)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--compile-flags", default="")
    parser.add_argument("--sms", type=int, help="multiprocessors to run on, by MPS; default: all of the GPU")
    parser.add_argument("--out", default="results.json")
    options = parser.parse_args()
    if options.sms is None:
        return measured(options)
    try:
        with limited_to(options.sms) as environment:
            return measured(options, environment)
    except MpsError as error:
        print(f"bench_gpu: --sms {options.sms}: {error}", file=sys.stderr)
        return NO_GPU


if __name__ == "__main__":
    sys.exit(main())
