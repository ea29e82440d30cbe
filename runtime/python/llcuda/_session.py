# SPDX-License-Identifier: Apache-2.0
"""One sequence with a cache that is kept between calls."""
from __future__ import annotations

import ctypes
import os
import queue
import threading
import weakref
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from . import _c
from ._library import call, check_process, library
from ._options import RequestStruct, assign, take
from ._profile import KernelTime, Profile
from ._types import Prompt, SelfCheck
from .errors import CancelledError, UsageError

if TYPE_CHECKING:
    from ._options import Options, Unpack
    from .engine import Engine


def _destroy(handle: ctypes.c_void_p, process: int) -> None:
    if os.getpid() == process:
        library().llcuda_session_destroy(handle)


class Session:
    """Made by Engine.session. Belongs to one thread at a time; Ctrl-C ends what runs within a step."""

    def __init__(self, engine: Engine, handle: ctypes.c_void_p, *, log: Any, profile: bool, **values: Any) -> None:
        self._engine, self._engine_handle, self._log = engine, handle, log
        options = _c.llcuda_session_options()
        library().llcuda_session_options_init(ctypes.byref(options))
        options.log, options.profile = log, int(profile)
        for name, value in values.items():
            assign(options, "device_index" if name == "gpu" else name, value, name)
        self._handle = ctypes.c_void_p()
        call("llcuda_session_create", handle, ctypes.byref(options), ctypes.byref(self._handle))
        self.close = weakref.finalize(self, _destroy, self._handle, os.getpid())

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a session cannot be pickled")

    def _open(self) -> ctypes.c_void_p:
        check_process()
        if not self.close.alive:
            raise CancelledError("the session is closed")
        return self._handle

    def _interruptible(self, work: Callable[[], None]) -> None:
        """Runs `work` on another thread, so that this one sees signals."""
        self._open()
        # Not Thread.join: Python 3.11's takes an interrupted one for the end of the thread.
        ended: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

        def run() -> None:
            try:
                work()
                ended.put(None)
            except BaseException as error:
                ended.put(error)

        threading.Thread(target=run, name="llcuda-session", daemon=True).start()
        try:
            failed = ended.get()
        except BaseException:
            library().llcuda_session_cancel(self._handle)
            ended.get()
            raise
        if failed:
            raise failed

    @property
    def tokens(self) -> list[int]:
        """The sequence so far."""
        ids = ctypes.POINTER(ctypes.c_int32)()
        count = library().llcuda_session_tokens(self._open(), ctypes.byref(ids))
        return ids[:count]

    def rewind(self, count: int) -> None:
        """Forgets all but the first `count` tokens."""
        call("llcuda_session_rewind", self._open(), count)

    def feed(self, prompt: Prompt) -> None:
        """Appends tokens and computes their cache, without asking for a next one."""
        ids = self._ids(prompt)
        self._interruptible(lambda: call("llcuda_session_feed", self._handle, ids, len(ids)))

    def _ids(self, prompt: Prompt) -> Any:
        if isinstance(prompt, str):
            prompt = self._engine.tokenize(prompt, bos=not self.tokens)
        return take("tokens", lambda given: (ctypes.c_int32 * len(given))(*given), prompt)

    def generate(self, prompt: Prompt = (), *, on_text: Callable[[str], None] | None = None, **options: Unpack[Options]) -> str:
        """Goes on from the sequence and what is appended to it; what is generated becomes part of it. Options of the
        sampler, max_tokens, ignore_stop and special_text; `on_text` gets the text as it comes."""
        for name in ("stop", "logprobs", "priority", "json_schema", "json_object", "regex", "lark", "gbnf"):
            if name in options:
                raise UsageError(f"{name} is an option of the engine's requests, not of a session's")
        ids = self._ids(prompt)
        request = RequestStruct(self._engine_handle, [0], options)
        given = _c.llcuda_generate_options()
        library().llcuda_generate_options_init(ctypes.byref(given))
        given.sampler = request.struct.sampler
        for name in ("max_tokens", "ignore_stop", "special_text"):
            setattr(given, name, getattr(request.struct, name))
        pieces: list[str] = []
        failed: list[BaseException] = []

        def step(event: Any, _: Any) -> int:
            try:
                text = ctypes.string_at(event.contents.text, event.contents.text_bytes).decode("utf-8", "replace")
                pieces.append(text)
                if on_text and text:
                    on_text(text)
                return 0
            except BaseException as error:
                failed.append(error)
                return 1

        callback = _c.llcuda_step_callback(step)
        given.callback = callback
        try:
            self._interruptible(lambda: call("llcuda_session_generate", self._handle, ids, len(ids),
                                             ctypes.byref(given), None))
        finally:
            request.close()
        if failed:
            raise failed[0]
        return "".join(pieces)

    def self_check(self) -> SelfCheck:
        report = _c.llcuda_self_check()
        self._interruptible(lambda: call("llcuda_session_self_check", self._handle, ctypes.byref(report)))
        return SelfCheck(**{field.name: getattr(report, field.name) for field in fields(SelfCheck)})

    @property
    def profile(self) -> Profile:
        """What each kernel took so far; for a session that was made with `profile`."""
        filled = _c.llcuda_profile()
        call("llcuda_session_get_profile", self._open(), ctypes.byref(filled))
        kernels = (filled.kernels[i] for i in range(filled.count))
        return Profile(filled.copy_bytes_per_second, tuple(
            KernelTime(kernel.phase.decode(), kernel.rows, kernel.kernel.decode("utf-8", "replace"), kernel.launches,
                       kernel.ns / 1e9, kernel.bytes) for kernel in kernels))
