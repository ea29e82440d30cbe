# SPDX-License-Identifier: Apache-2.0
"""A scheduler of the library, and the thread that takes its events to those who wait for them."""
from __future__ import annotations

import array
import ctypes
import os
import select
import threading
from collections.abc import Callable
from typing import Any

from . import _c
from ._library import call, library, sized
from ._types import Candidate, Completion, Metrics, Stop, Token, TokenLogprob
from .errors import CancelledError, Error, InternalError, error_of

_STOPS: dict[int, Stop] = {
    _c.LLCUDA_STOP_TOKEN: "stop", _c.LLCUDA_STOP_LENGTH: "length", _c.LLCUDA_STOP_CONTEXT: "context",
    _c.LLCUDA_STOP_STRING: "string",
}
_EVENTS = 256  # taken at a time


class End:
    """The last thing that a request delivers: how it went."""

    def __init__(self, error: Error | None = None):
        self.error = error


Item = Any  # Token, (done, total) of the prompt, End
Deliver = Callable[[Item], None]


class Answer:
    """What has come of one request. Only the thread of the events changes it, until End is delivered."""

    def __init__(self, deliver: Deliver, stops: tuple[str, ...], wants_logprobs: bool):
        self.deliver, self.stops, self.wants_logprobs = deliver, stops, wants_logprobs
        self.number = 0
        self.seed = 0
        self.pieces: list[str] = []
        self.tokens: list[int] = []
        self.logprobs: list[TokenLogprob] = []
        self.prompt_logprobs: list[TokenLogprob] = []
        self.embedding: array.array[float] = array.array("f")
        self.metrics: Metrics | None = None
        self.stop: Stop = "length"
        self.stop_string: str | None = None

    def take(self, event: Any) -> bool:
        """True when it was the last event."""
        kind = event.kind
        if kind == _c.LLCUDA_EVENT_TOKEN:
            self.take_token(event)
        elif kind == _c.LLCUDA_EVENT_STARTED:
            self.seed = event.seed
        elif kind == _c.LLCUDA_EVENT_PROGRESS:
            self.deliver((event.computed, event.total))
        elif kind == _c.LLCUDA_EVENT_PROMPT_TOKEN:
            self.prompt_logprobs.append(TokenLogprob(event.token, event.log_probability, candidates(event)))
        elif kind == _c.LLCUDA_EVENT_EMBEDDING:
            self.embedding.frombytes(ctypes.string_at(event.values, 4 * event.value_count))
        elif kind in (_c.LLCUDA_EVENT_DONE, _c.LLCUDA_EVENT_FAILED):
            self.metrics = Metrics(event.prompt_tokens, event.cached_tokens, event.generated_tokens,
                                   event.wait_ns / 1e9, event.first_token_ns / 1e9, event.total_ns / 1e9)
            self.stop = _STOPS.get(event.stop_reason, "length")
            if event.stop_string >= 0 and event.stop_reason == _c.LLCUDA_STOP_STRING:
                self.stop_string = self.stops[event.stop_string]
            failed = kind == _c.LLCUDA_EVENT_FAILED
            self.deliver(End(error_of(event.status, event.message.decode("utf-8", "replace")) if failed else None))
            return True
        return False

    def take_token(self, event: Any) -> None:
        text = ctypes.string_at(event.text, event.text_bytes).decode("utf-8", "replace") if event.text_bytes else ""
        token = event.token
        logprob: float | None = None
        top: tuple[Candidate, ...] = ()
        if self.wants_logprobs and token >= 0:
            logprob, top = event.log_probability, candidates(event)
            self.logprobs.append(TokenLogprob(token, logprob, top))
        if token >= 0:
            self.tokens.append(token)
        self.pieces.append(text)
        self.deliver(Token(token, event.index, text, bool(event.stops), logprob, top))

    def completion(self) -> Completion:
        assert self.metrics is not None
        return Completion("".join(self.pieces), tuple(self.tokens), self.stop, self.stop_string, self.seed,
                          self.metrics, tuple(self.logprobs))


def candidates(event: Any) -> tuple[Candidate, ...]:
    return tuple(Candidate(event.top[i].token, event.top[i].log_probability) for i in range(event.top_count))


class Requests:
    """Any number of threads submit and cancel. The thread has no reference to who owns this: the owner's end is this
    one's end."""

    def __init__(self, engine: ctypes.c_void_p, options: _c.llcuda_scheduler_options):
        self.handle = ctypes.c_void_p()
        call("llcuda_scheduler_create", engine, ctypes.byref(options), ctypes.byref(self.handle))
        self.answers: dict[int, Answer] = {}
        self.lock = threading.RLock()  # the collector may close it in the middle of its own work
        self.closed = False
        self.wake_read, self.wake_write = os.pipe()
        self.thread = threading.Thread(target=self.run, name="llcuda-events", daemon=True)
        self.thread.start()

    def submit(self, request: _c.llcuda_request, answer: Answer) -> None:
        number = ctypes.c_uint64()
        with self.lock:  # its first event waits for its place in the table
            if self.closed:
                raise CancelledError("the engine is closed")
            call("llcuda_scheduler_submit", self.handle, ctypes.byref(request), ctypes.byref(number))
            answer.number = number.value
            self.answers[number.value] = answer

    def cancel(self, answer: Answer) -> None:
        with self.lock:
            if not self.closed and answer.number in self.answers:
                library().llcuda_scheduler_cancel(self.handle, answer.number)

    def stats(self) -> Any:
        filled = sized(_c.llcuda_scheduler_stats)
        with self.lock:
            if self.closed:
                raise CancelledError("the engine is closed")
            library().llcuda_scheduler_get_stats(self.handle, ctypes.byref(filled))
        return filled

    def run(self) -> None:
        try:
            self.read_events()
        finally:
            self.closed = True
            self.end()

    def read_events(self) -> None:
        waiting = select.poll()
        waiting.register(library().llcuda_scheduler_fd(self.handle), select.POLLIN)
        waiting.register(self.wake_read, select.POLLIN)
        events = (_c.llcuda_event * _EVENTS)()
        while not self.closed:
            waiting.poll()
            if self.closed:
                return
            events[0].struct_bytes = ctypes.sizeof(_c.llcuda_event)
            count = library().llcuda_scheduler_poll(self.handle, events, _EVENTS, 0)
            for i in range(count):
                self.take(events[i])

    def take(self, event: Any) -> None:
        number = event.request
        with self.lock:
            answer = self.answers.get(number)
        if answer is None:
            return
        try:
            ended = answer.take(event)
        except RuntimeError:  # an event loop that was closed while its request ran
            ended = True
        except Exception as error:
            answer.deliver(End(InternalError(f"an event could not be read: {error!r}")))
            ended = True
        if ended:
            with self.lock:
                self.answers.pop(number, None)
                if not self.closed and event.kind not in (_c.LLCUDA_EVENT_DONE, _c.LLCUDA_EVENT_FAILED):
                    library().llcuda_scheduler_cancel(self.handle, number)

    def close(self) -> None:
        self.closed = True
        try:
            os.write(self.wake_write, b"x")
        except OSError:  # closed already, by its own end
            return
        if threading.current_thread() is not self.thread:
            self.thread.join()

    def end(self) -> None:
        with self.lock:
            library().llcuda_scheduler_destroy(self.handle)
            os.close(self.wake_read)
            os.close(self.wake_write)
            self.wake_write = -1
            left, self.answers = self.answers, {}
        for answer in left.values():
            try:
                answer.deliver(End(CancelledError("the engine was closed")))
            except RuntimeError:  # its event loop is closed
                continue
