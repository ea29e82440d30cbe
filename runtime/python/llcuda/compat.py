# SPDX-License-Identifier: Apache-2.0
"""The names of llcuda 1 and 2, over an engine in this process: nothing happens at import, nothing is downloaded but
what is asked for by name. `docs/python.md` says what to write instead of each.
"""
from __future__ import annotations

import os
import re
import statistics
import time
import warnings
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from ._hub import local_file
from ._library import program
from ._types import Completion
from .errors import CancelledError, Error, InternalError, UsageError, error_of
from .llm import LLM

if TYPE_CHECKING:
    import subprocess

__all__ = ["InferResult", "InferenceEngine", "ServerManager"]

_ON_GPU = (None, -1, 99)


@dataclass(frozen=True)
class InferResult:
    """What came of a prompt; where `success` is false, `error_message` says why and there is no text."""

    success: bool
    text: str
    tokens_generated: int
    latency_ms: float
    tokens_per_sec: float
    error_message: str | None = None

    def __str__(self) -> str:
        return self.text


class InferenceEngine:
    """load_model, then infer, infer_stream, batch_infer. All layers of a model are on the GPU: `gpu_layers` has no
    effect."""

    def __init__(self) -> None:
        self._llm: LLM | None = None
        self._latencies: list[float] = []
        self._tokens = 0
        self._seconds = 0.0

    @property
    def is_loaded(self) -> bool:
        return self._llm is not None

    def load_model(self, model_path: str | os.PathLike[str], gpu_layers: int | None = 99, ctx_size: int | None = None,
                   n_parallel: int = 1, verbose: bool = True, **how: Any) -> bool:
        """A GGUF file, a folder, an engine, a repository of the hub, or `REPOSITORY:FILE` of one. A model is compiled
        into the cache the first time. Further keywords are those of llcuda.LLM. True; what goes wrong is raised."""
        if gpu_layers not in _ON_GPU:
            warnings.warn(f"gpu_layers={gpu_layers} has no effect: all layers are on the device", stacklevel=2)
        self.unload_model()
        self._llm = LLM(local_file(os.fspath(model_path)), context=ctx_size or 0, max_batch=n_parallel,
                        progress=None if verbose else False, **how)
        return True

    def unload_model(self) -> None:
        if self._llm is not None:
            self._llm.close()
            self._llm = None

    def __enter__(self) -> InferenceEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.unload_model()

    def _model(self) -> LLM:
        if self._llm is None:
            raise UsageError("no model is loaded; call load_model first")
        return self._llm

    def infer(self, prompt: str, max_tokens: int = 128, temperature: float = 0.7, top_p: float = 0.9, top_k: int = 40,
              seed: int = 0, stop_sequences: Iterable[str] = (), *, raise_errors: bool = False,
              **options: Any) -> InferResult:
        """The continuation of a text. `seed` 0 is another one each time. With `raise_errors` errors are raised."""
        given = _options(max_tokens, temperature, top_p, top_k, seed, stop_sequences, options)
        return self._timed(lambda llm: llm.generate(prompt, **given), raise_errors)

    def infer_stream(self, prompt: str, callback: Callable[[str], Any], max_tokens: int = 128,
                     temperature: float = 0.7, top_p: float = 0.9, top_k: int = 40, seed: int = 0,
                     stop_sequences: Iterable[str] = (), *, raise_errors: bool = False, **options: Any) -> InferResult:
        """`callback` gets the text as it comes; what it raises ends the request and is raised here."""
        given = _options(max_tokens, temperature, top_p, top_k, seed, stop_sequences, options)

        def work(llm: LLM) -> Completion:
            with llm.stream(prompt, **given) as stream:
                for token in stream:
                    if token.text:
                        callback(token.text)
                return stream.completion

        return self._timed(work, raise_errors)

    def batch_infer(self, prompts: Iterable[str], max_tokens: int = 128, temperature: float = 0.7, top_p: float = 0.9,
                    top_k: int = 40, seed: int = 0, stop_sequences: Iterable[str] = (), *, raise_errors: bool = False,
                    **options: Any) -> list[InferResult]:
        """All at once, as many in a step as `n_parallel` of load_model; each is what it would be alone, and its latency
        is its own."""
        given = _options(max_tokens, temperature, top_p, top_k, seed, stop_sequences, options)
        texts = list(prompts)
        start = time.perf_counter()
        try:
            answers = self._model().batch(texts, progress=False, **given)
        except Error as error:
            if raise_errors:
                raise
            return [_failed(error) for _ in texts]
        results = [self._noted(answer, answer.metrics.total_seconds) for answer in answers]
        self._seconds += time.perf_counter() - start
        return results

    def _timed(self, work: Callable[[LLM], Completion], raise_errors: bool) -> InferResult:
        start = time.perf_counter()
        try:
            answer = work(self._model())
        except Error as error:
            if raise_errors:
                raise
            return _failed(error)
        seconds = time.perf_counter() - start
        self._seconds += seconds
        return self._noted(answer, seconds)

    def _noted(self, answer: Completion, seconds: float) -> InferResult:
        count = len(answer.tokens)
        self._latencies.append(1e3 * seconds)
        self._tokens += count
        return InferResult(True, answer.text, count, 1e3 * seconds, count / seconds if seconds > 0 else 0.0)

    def get_metrics(self) -> dict[str, dict[str, float]]:
        """Of what succeeded since reset_metrics: latencies in ms, and tokens by the time that calls took."""
        times = sorted(self._latencies)
        latency = {f"p{percent}_ms": times[min(len(times) * percent // 100, len(times) - 1)] if times else 0.0
                   for percent in (50, 95, 99)}
        return {"latency": {"mean_ms": statistics.fmean(times) if times else 0.0, **latency,
                            "min_ms": times[0] if times else 0.0, "max_ms": times[-1] if times else 0.0,
                            "sample_count": len(times)},
                "throughput": {"total_tokens": self._tokens, "total_requests": len(times),
                               "tokens_per_sec": self._tokens / self._seconds if self._seconds > 0 else 0.0}}

    def reset_metrics(self) -> None:
        self._latencies.clear()
        self._tokens, self._seconds = 0, 0.0


def _options(max_tokens: int, temperature: float, top_p: float, top_k: int, seed: int, stop: Iterable[str],
             more: dict[str, Any]) -> dict[str, Any]:
    given = dict(max_tokens=max_tokens, temperature=temperature, top_p=top_p, top_k=top_k, **more)
    if seed:
        given["seed"] = seed
    if stops := list(stop or ()):
        given["stop"] = stops
    return given


def _failed(error: Error) -> InferResult:
    return InferResult(False, "", 0, 0.0, 0.0, str(error))


_AT = re.compile(rb" at (http://\S+?),? ")
_SECONDS_TO_END = 10


class ServerManager:
    """llcuda-serve as a child process, which ends with this one at the latest. `server_url` is where it listens."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self.server_url: str | None = None

    def start_server(self, model_path: str | os.PathLike[str], *, host: str = "127.0.0.1", port: int = 8080,
                     ctx_size: int | None = None, n_parallel: int | None = None, timeout: float = 600,
                     args: Sequence[str] = ()) -> bool:
        """Returns when it answers requests, True, or raises what it says. A model is compiled first, within `timeout`
        seconds. `port` 0 is a free one; `args` are further flags of llcuda-serve."""
        import subprocess
        import tempfile

        if self._child is not None:
            raise UsageError("the server runs already; call stop_server first")
        command = [program("llcuda-serve"), "--host", host, "--port", str(port)]
        for flag, value in (("-c", ctx_size), ("-np", n_parallel)):
            command += [flag, str(value)] if value is not None else []
        with tempfile.TemporaryFile() as said:
            try:
                child = subprocess.Popen([*command, *args, "-m", os.fspath(model_path)], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=said)
            except OSError as error:
                raise InternalError(f"{command[0]}: cannot be started: {error.strerror}") from None
            self._child = child
            self._end = weakref.finalize(self, _end_server, child)
            try:
                self.server_url = _ready(child, timeout, said)
            except BaseException:
                self.stop_server()
                raise
        return True

    def check_server_health(self, timeout: float = 2) -> bool:
        """Whether it answers, and has its model."""
        import urllib.request

        if self.server_url is None:
            return False
        try:
            with urllib.request.urlopen(self.server_url + "/health", timeout=timeout) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop_server(self) -> bool:
        """Whether there was one. Requests that run may end first."""
        if self._child is None:
            return False
        self._end()
        self._child, self.server_url = None, None
        return True

    def __enter__(self) -> ServerManager:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_server()


def _ready(child: subprocess.Popen[bytes], timeout: float, said: IO[bytes]) -> str:
    """The address that it prints when it answers."""
    import select

    assert child.stdout is not None
    end = time.monotonic() + timeout
    line = b""
    while not (found := _AT.search(line)):
        if not select.select([child.stdout], [], [], max(0.0, end - time.monotonic()))[0]:
            raise CancelledError(f"llcuda-serve did not answer requests within {timeout:g} s")
        part = os.read(child.stdout.fileno(), 4096)
        if not part:
            code = child.wait()
            said.seek(0)
            text = said.read().decode("utf-8", "replace").strip()
            raise error_of(max(code, 0) or 8, text or f"llcuda-serve ended with {code}")
        line += part
    return found[1].decode()


def _end_server(child: subprocess.Popen[bytes]) -> None:
    import subprocess

    child.terminate()
    try:
        child.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdout:
        child.stdout.close()
