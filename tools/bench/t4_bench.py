#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures llcuda and llama.cpp beside each other on a T4, with the GPU's clocks, in five minutes;
examples/notebooks/t4_bench.ipynb runs it.

usage: t4_bench.py [--models smollm2,llama-1b:q4_k_m,...] [--peer DIR | none] [--out t4_bench.json]

Models are smollm2 or gemma3 (real ones, fetched), SHAPE:TYPES (synthetic_model.py), or the path or URL of a GGUF file.
llcuda-calibrate measures the GPU itself; the results file has that as "machine", for llcuda-inspect --predict t4
--calibration. Each model is compiled, then both engines take turns at each test (pp512, tg128, tg128 at depth 4096) in
every round, the second one first in every other round. A test repeats for some seconds; what ran in its first second
counts as warm-up. Clocks, power and temperature are read once a second. The results file has every command, sample and
reading.
"""
import argparse
import datetime
import json
import math
import os
import platform
import subprocess
import sys
import time
import typing
import urllib.request

import fetch
from bench_log import HERE, Log, make_synthetic, peer_command, speeds, table
from gpu_clocks import Clocks, GpuError, facts

NO_GPU = 5  # as the tools' exit code
FEWEST, MOST = 3, 500  # repetitions: that count, in all
TEXT = {"parse": lambda text: text}


class Test(typing.NamedTuple):
    prompt: int
    generate: int
    depth: int

    def flags(self, repetitions):
        return ["-p", str(self.prompt), "-n", str(self.generate), "-d", str(self.depth), "-r", str(repetitions)]

    def name(self):
        name = f"pp{self.prompt}" if self.prompt else f"tg{self.generate}"
        return name + (f" @ d{self.depth}" if self.depth else "")


def tests_of(options):
    for depth in options.depths:
        if depth == 0:
            yield Test(options.prompt, 0, 0)
        yield Test(0, options.generate, depth)


class Durations:
    """Seconds that a repetition takes, from a short run of both tests without depth."""

    def __init__(self, options, rows):
        self.options = options
        self.shortest = {bool(row["n_prompt"]): min(row["samples_ns"]) / 1e9 for row in rows}

    def fill(self, test):
        return self.shortest[True] * test.depth / self.options.prompt

    def repetitions(self, test):
        seconds = self.shortest[test.prompt > 0] + self.fill(test)
        return min(math.ceil(self.options.warmup / seconds) + max(math.ceil(self.options.seconds / seconds), FEWEST), MOST)

    def warmup_repetitions(self, test, samples_ns):
        """How many repetitions began in the seconds of warm-up; some are always left to count."""
        passed = 0
        for count, sample in enumerate(samples_ns):
            if passed >= self.options.warmup or count >= len(samples_ns) - FEWEST:
                return count
            passed += sample / 1e9 + self.fill(test)
        return 0


class T4Bench:
    def __init__(self, options, clocks, peer, log):
        self.options, self.clocks, self.peer, self.log = options, clocks, peer, log
        self.on_host = options.device == "host"

    def tool(self, name):
        return os.path.join(self.options.bin, name)

    def compile(self, model, path):
        engine = os.path.join(self.options.work, os.path.basename(path) + ".engine")
        target = ["--target", "host"] if self.on_host else ["--nvrtc", self.options.nvrtc]
        context = max(self.options.depths) + max(self.options.prompt, self.options.generate) + 1
        command = [self.tool("llcuda-compile"), path, "-o", engine, "-c", str(context), "-j", str(os.cpu_count()), *target]
        entry = self.log.run(model, "llcuda", command, **TEXT)
        print(f"{model}: compiled in {entry['seconds']} s", flush=True)
        return None if "error" in entry else engine

    def commands(self, path, engine):
        """{engine: its command without a test's flags}"""
        ours = [self.tool("llcuda-bench"), "-m", engine, "-o", "json", "--device", self.options.device]
        commands = {"llcuda": ours}
        if self.peer:
            layers = "0" if self.on_host else "99"
            commands["llama.cpp"] = [*peer_command(self.peer), "-m", path, "-ngl", layers, "-fa", "1", "-o", "json"]
        return commands

    def durations(self, model, commands):
        """{engine: Durations}, without an engine that fails."""
        found = {}
        for engine, command in commands.items():
            flags = Test(self.options.prompt, self.options.generate, 0).flags(2)
            entry = self.log.run(model, engine, [*command, *flags])
            entry["pilot"] = True
            if "error" not in entry:
                found[engine] = Durations(self.options, entry["results"])
        return found

    def measure(self, model, engine, command, test, durations):
        repetitions = durations[engine].repetitions(test) if durations else 1
        start = time.monotonic()
        entry = self.log.run(model, engine, [*command, *test.flags(repetitions)])
        entry["test"] = test.name()
        if self.clocks:
            entry["clocks"] = self.clocks.between(start, time.monotonic())
        if "error" in entry:
            return
        if durations:
            samples = entry["results"][0]["samples_ns"]
            entry["warmup_repetitions"] = durations[engine].warmup_repetitions(test, samples)
        (speed,) = [row[engine] for row in speeds([entry]).values()]
        print(f"{model} {test.name()}: {engine} {speed:.1f} tok/s {clocks_text([entry])}".rstrip(), flush=True)

    def rounds(self, model, path, engine):
        commands = self.commands(path, engine)
        # The processor's clock is no one's question: there each test runs once.
        durations = {} if self.on_host else self.durations(model, commands)
        engines = list(commands if self.on_host else durations)
        for number in range(self.options.rounds):
            for test in tests_of(self.options):
                for name in engines if number % 2 == 0 else reversed(engines):
                    self.measure(model, name, commands[name], test, durations)

    def model(self, model):
        path, temporary = find_model(model, self.options.work)
        if os.sep in model:
            model = os.path.basename(path)
        if engine := self.compile(model, path):
            self.rounds(model, path, engine)
            os.remove(engine)
        if temporary:
            os.remove(path)


def find_model(model, work):
    """The model's file, and whether it is to be deleted."""
    if model in ("smollm2", "gemma3"):
        return fetch.fetch(model, work), False
    if model.startswith(("http://", "https://")):
        path = os.path.join(work, os.path.basename(model.split("?")[0]))
        if not os.path.exists(path):
            urllib.request.urlretrieve(model, path + ".part")
            os.rename(path + ".part", path)
        return path, False
    if os.path.exists(model):
        return model, False
    return make_synthetic(model, work), True


def clocks_text(entries):
    summaries = [entry["clocks"]["summary"] for entry in entries if entry.get("clocks", {}).get("summary")]
    parts = []
    for key, unit in (("sm_mhz", "MHz"), ("power_w", "W"), ("celsius", "C")):
        values = [summary[key] for summary in summaries if key in summary]
        if values:
            parts.append(f"{sum(values) / len(values):.0f} {unit}")
    parts += sorted({name for summary in summaries for name in summary["throttled"]})
    return ", ".join(parts)


def clocks_column(entries):
    """What a row of the table says of the clocks: while llcuda ran / while llama.cpp ran."""
    def note(model, test):
        mine = [entry for entry in entries if (entry["model"], entry["test"]) == (model, test)]
        sides = [clocks_text([entry for entry in mine if entry["engine"] == engine]) for engine in ("llcuda", "llama.cpp")]
        return " / ".join(filter(None, sides))

    return "clocks: llcuda / llama.cpp", note


def version_of(program):
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True)
    except OSError as error:
        raise SystemExit(f"t4_bench: {error}; --bin names the folder of llcuda's tools") from error
    if done.returncode != 0:
        raise SystemExit(f"t4_bench: {program} does not run here: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    return done.stdout.split()[-1]  # behind the name of the program


def parse_options():
    package = os.path.normpath(os.path.join(HERE, "../../bin"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=package if os.path.isdir(package) else "build/release/bin", help="llcuda's tools")
    parser.add_argument("--models", default="smollm2,llama-1b:q4_k_m")
    parser.add_argument("--peer", default="fetch", help="folder with llama-bench or llama.cpp's libraries; fetch; or none")
    parser.add_argument("--nvrtc", default="fetch", help="NVRTC's folder; fetch: 12.9")
    parser.add_argument("--device", choices=["cuda", "host"], default="cuda", help="host: to try this program without a GPU")
    parser.add_argument("--gpu", type=int, default=0, help="which one, as nvidia-smi numbers them")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--warmup", type=float, default=1, help="seconds of a test that do not count")
    parser.add_argument("--seconds", type=float, default=3, help="seconds of a test that count, about")
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--generate", type=int, default=128)
    parser.add_argument("--depths", type=lambda text: [int(part) for part in text.split(",")], default=[0, 4096])
    parser.add_argument("--work", default="t4_bench_files")
    parser.add_argument("--out", default="t4_bench.json")
    return parser.parse_args()


def bench(options):
    report = {"started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), "arguments": sys.argv[1:],
              "host": {"system": platform.platform(), "cpus": os.cpu_count()}, "device": options.device}
    clocks = None
    if options.device == "cuda":
        report["gpu"] = facts(options.gpu)
        print(f"{report['gpu']['name']}, driver {report['gpu']['driver']}", flush=True)
    report["llcuda"] = version_of(os.path.join(options.bin, "llcuda-bench"))
    os.makedirs(options.work, exist_ok=True)
    peer = {"none": None, "fetch": "fetch"}.get(options.peer, options.peer)
    if peer == "fetch":
        peer = fetch.fetch("llama.cpp", options.work)
    if options.device == "cuda":
        if options.nvrtc == "fetch":
            options.nvrtc = fetch.fetch("nvrtc", options.work)
        clocks = Clocks(options.gpu)
    report["llama.cpp"] = peer
    # Both engines see one GPU, the one whose clocks are read.
    log = Log({**os.environ, "CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": str(options.gpu)})
    report["measurements"] = log.entries
    if options.device == "cuda":
        calibrate = [os.path.join(options.bin, "llcuda-calibrate"), "--nvrtc", options.nvrtc]
        report["machine"] = log.run("the GPU itself", "llcuda", calibrate).get("results")
    runs = T4Bench(options, clocks, peer, log)
    try:
        for model in options.models.split(","):
            runs.model(model)
    finally:
        if clocks:
            clocks.close()
        measured = [entry for entry in log.entries if "test" in entry]
        report["tokens_per_second"] = [{"model": model, "test": test, **row} for (model, test), row in speeds(measured).items()]
        with open(options.out, "w", encoding="utf-8") as out:
            json.dump(report, out, indent=1)
    print(table(measured, clocks_column(measured)))
    return 1 if log.failed() else 0


def main():
    try:
        return bench(parse_options())
    except GpuError as error:
        print(f"t4_bench: {error}", file=sys.stderr)
        return NO_GPU
    except (fetch.FetchError, OSError, subprocess.CalledProcessError) as error:
        print(f"t4_bench: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
