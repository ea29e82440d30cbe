# SPDX-License-Identifier: Apache-2.0
"""llcuda-compile as a child process: its memory is its own, and it is ended as any program."""
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from ._library import check_process, program
from ._profile import bars
from ._progress import Progress, ProgressArgument, Reporter
from .errors import Error, InternalError, error_of

if TYPE_CHECKING:
    import subprocess

Source = str | os.PathLike[str]
Adapters = Source | Sequence[Source] | Mapping[str, float]
_SECONDS_TO_END = 5


@dataclass(frozen=True)
class MemoryPlan:
    """Exact bytes of device memory, before any of it is allocated."""

    total: int
    weights: int
    kv_cache: int
    buffers: int

    def _repr_html_(self) -> str:
        rows = [(name.replace("_", " "), float(getattr(self, name)), f"{getattr(self, name) / 2**20:.1f} MiB")
                for name in ("weights", "kv_cache", "buffers", "total")]
        return bars(("device memory", "", ""), rows)


@dataclass(frozen=True)
class CompileReport:
    """What was made. `cached`: it had been compiled before, and `values` says less. `memory` is for all positions and
    sequences that the engine can have. `values` is the whole report of llcuda-compile."""

    path: str
    cached: bool
    bytes: int
    seconds: float
    memory: MemoryPlan
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    values: Mapping[str, Any]

    def _repr_html_(self) -> str:
        return self.memory._repr_html_()


def compile(source: Source, output: Source | None = None, *, quantize: str | None = None, head: str | None = None,
            lora: Adapters = (), base: Source | None = None, tokenizer: Source | None = None, context: int = 0,
            max_batch: int = 1, kv: str | tuple[str, str] = ("f16", "f16"), targets: Sequence[str] = ("sm_75",),
            weights: str = "embed", golden: str = "default", batch_invariant: bool = False, jobs: int | None = None,
            nvrtc: Source | None = None, progress: ProgressArgument = None) -> CompileReport:
    """Compiles a model into the engine `output`, or into the cache of engines, where it is found the next time.

    The keywords are llcuda-compile's flags. `lora` is an adapter's folder, several, or a mapping of folders to scales;
    `kv` the type of keys and values, or of both.
    """
    key_type, value_type = (kv, kv) if isinstance(kv, str) else kv
    arguments = [os.fspath(source), "--target", ",".join(targets), "--weights", weights, "--golden", golden,
                 "--max-batch", str(max_batch), "--ctx-size", str(context), "--cache-type-k", key_type,
                 "--cache-type-v", value_type]
    for name, value in dict(quantize=quantize, head=head, base=base, tokenizer=tokenizer, jobs=jobs,
                            nvrtc=nvrtc).items():
        if value is not None:
            arguments += [f"--{name}", os.fspath(value) if not isinstance(value, int) else str(value)]
    for adapter in _adapters(lora):
        arguments += ["--lora", adapter]
    if batch_invariant:
        arguments.append("--batch-invariant")
    arguments += ["--into-cache"] if output is None else ["--output", os.fspath(output)]
    with Reporter(progress) as reporter:
        return _run(arguments, reporter)


def _adapters(given: Adapters) -> list[str]:
    if isinstance(given, Mapping):
        return [f"{folder}={scale}" for folder, scale in given.items()]
    return [os.fspath(given)] if isinstance(given, (str, os.PathLike)) else [os.fspath(folder) for folder in given]


def _run(arguments: Sequence[str], reporter: Reporter) -> CompileReport:
    import json
    import subprocess
    import tempfile
    from pathlib import Path

    check_process()
    command = [program("llcuda-compile"), *arguments, "--progress", "json", "--report"]
    with tempfile.TemporaryDirectory(prefix="llcuda-") as folder:
        report = Path(folder) / "report.json"
        try:
            child = subprocess.Popen([*command, str(report)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace")
        except OSError as error:
            raise InternalError(f"{command[0]}: cannot be started: {error.strerror}") from None
        assert child.stderr is not None
        try:
            said = _follow(child.stderr, reporter)
            code = child.wait()
        except BaseException:
            _end(child)
            raise
        finally:
            child.stderr.close()
        if code != 0:
            raise _failure(code, said)
        values = json.loads(report.read_text(encoding="utf-8"))
    return CompileReport(values["engine"], values["cached"], values["bytes"], values["seconds"],
                         MemoryPlan(**values["memory"]), tuple(values.get("notes", ())),
                         tuple(values.get("warnings", ())), values)


def _follow(lines: IO[str], reporter: Reporter) -> list[str]:
    """Reports the progress; the other lines."""
    import json

    said = []
    for line in lines:
        if line.startswith("{"):
            step = json.loads(line)
            reporter(Progress(step["stage"], step["done"], step["total"]))
        else:
            said.append(line.rstrip("\n"))
    return said


def _end(child: subprocess.Popen[str]) -> None:
    import subprocess

    child.terminate()  # not SIGINT, which a program in the background of a shell ignores, and its children with it
    try:
        child.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _failure(code: int, said: Sequence[str]) -> Error:
    start = "llcuda-compile: "
    sentences = [line.removeprefix(start) for line in said if line.startswith(start)] or list(said)
    if code < 0:
        return InternalError("\n".join([f"llcuda-compile was ended by signal {-code}", *sentences]))
    return error_of(code, "\n".join(sentences) or f"llcuda-compile ended with {code}")
