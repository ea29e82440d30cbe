# SPDX-License-Identifier: Apache-2.0
"""A model file, compiled when it is first met."""
from __future__ import annotations

import os
from typing import Any

from ._compile import CompileReport, Source, compile
from ._library import check_process
from ._progress import ProgressArgument
from .engine import Device, Engine, Log, log_to_logging

_ENGINE_BYTES = b"LLCUDAE\n"


def without_gpu() -> bool:
    return not os.access("/dev/nvidiactl", os.F_OK)


class LLM(Engine):
    """An Engine for a model: a GGUF file, a Hugging Face folder, an adapter's folder, or an engine. A model is compiled
    into the cache of engines ($XDG_CACHE_HOME/llcuda/engines) the first time, and found there from then on.

    `context`, `max_batch` and further keywords of `compile` say how; the others are Engine's. `report` says what was
    compiled.
    """

    report: CompileReport | None

    def __init__(self, model: Source, *, device: Device | None = "auto", gpu: int = 0, context: int = 0,
                 max_batch: int = 1, cache_bytes: int = 0, log: Log = log_to_logging,
                 progress: ProgressArgument = None, **compiling: Any) -> None:
        check_process()
        path = os.fspath(model)
        self.report = None
        if not is_engine(path):
            on_host = device == "host" or (device != "cuda" and without_gpu())
            compiling.setdefault("targets", ("sm_75", "host") if on_host else ("sm_75",))
            self.report = compile(path, context=context, max_batch=max_batch, progress=progress, **compiling)
            path = self.report.path
        elif compiling:
            raise TypeError(f"{path} is an engine; {next(iter(compiling))} is for models that are compiled")
        super().__init__(path, device=device, gpu=gpu, context=context, cache_bytes=cache_bytes, log=log)


def is_engine(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(len(_ENGINE_BYTES)) == _ENGINE_BYTES
    except OSError:  # a folder, or what the compiler has to speak about
        return False
