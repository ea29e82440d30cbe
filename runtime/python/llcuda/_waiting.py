# SPDX-License-Identifier: Apache-2.0
"""Waiting for answers: in a thread, as an iterator, in an event loop. Whoever stops waiting cancels the request."""
from __future__ import annotations

import queue
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

from ._requests import Answer, Deliver, End
from ._types import Completion, Token
from .errors import Error, UsageError

if TYPE_CHECKING:
    from .engine import Engine

Submit = Callable[[Deliver], Answer]
OnPrompt = Callable[[int, int], None]


def wait(engine: Engine, submit: Submit, on_prompt: OnPrompt | None = None) -> Answer:
    """Until the request has ended. Ctrl-C, and a notebook's Stop, cancel it within a step."""
    items: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def deliver(item: Any) -> None:
        if isinstance(item, End) or (on_prompt and isinstance(item, tuple)):
            items.put(item)

    answer = submit(deliver)
    try:
        while not isinstance(item := items.get(), End):
            if on_prompt:
                on_prompt(*item)
    except BaseException:
        engine.cancel(answer)
        raise
    if item.error:
        raise item.error
    return answer


async def await_answer(engine: Engine, submit: Submit) -> Answer:
    """The same in an event loop; a task that is cancelled cancels its request."""
    import asyncio

    loop = asyncio.get_running_loop()
    ended: asyncio.Future[End] = loop.create_future()

    def end(item: End) -> None:
        if not ended.done():
            ended.set_result(item)

    def deliver(item: Any) -> None:
        if isinstance(item, End):
            loop.call_soon_threadsafe(end, item)

    answer = submit(deliver)
    try:
        item = await ended
    except BaseException:
        engine.cancel(answer)
        raise
    if item.error:
        raise item.error
    return answer


class _Stream:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._answer: Answer
        self._ended = False
        self._failed: Error | None = None

    @property
    def completion(self) -> Completion:
        """The whole answer, after the last token."""
        if not self._ended or self._failed:
            raise UsageError("the stream has not ended; read its tokens first")
        return self._answer.completion()

    def _cancel(self) -> None:
        if not self._ended:
            self._ended = True
            self._failed = UsageError("the stream was closed")
            self._engine.cancel(self._answer)

    def _taken(self, item: Any, stop: type[Exception]) -> Token:
        """The token that was delivered, or the iterator's end."""
        if isinstance(item, Token):
            return item
        assert isinstance(item, End)
        self._ended = True
        self._failed = item.error
        raise item.error or stop

    def __del__(self) -> None:
        if hasattr(self, "_answer"):
            self._cancel()


def _without_progress(put: Callable[[Any], object]) -> Deliver:
    def deliver(item: Any) -> None:
        if not isinstance(item, tuple):
            put(item)

    return deliver


class TokenStream(_Stream, Iterator[Token]):
    """Tokens as they come. Closing it, leaving its `with` block, or forgetting it ends the request within a step."""

    def __init__(self, engine: Engine, submit: Submit) -> None:
        super().__init__(engine)
        self._items: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._answer = submit(_without_progress(self._items.put))

    def __next__(self) -> Token:
        if self._ended:
            raise StopIteration
        try:
            item = self._items.get()
        except BaseException:
            self.close()
            raise
        return self._taken(item, StopIteration)

    def close(self) -> None:
        self._cancel()

    def __enter__(self) -> TokenStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncTokenStream(_Stream, AsyncIterator[Token]):
    """The same in an event loop; a task that is cancelled while it waits ends the request."""

    def __init__(self, engine: Engine, submit: Submit) -> None:
        import asyncio

        super().__init__(engine)
        self._items: asyncio.Queue[Any] = asyncio.Queue()
        loop, put = asyncio.get_running_loop(), self._items.put_nowait

        self._answer = submit(_without_progress(lambda item: loop.call_soon_threadsafe(put, item)))

    async def __anext__(self) -> Token:
        if self._ended:
            raise StopAsyncIteration
        try:
            item = await self._items.get()
        except BaseException:
            self._cancel()
            raise
        return self._taken(item, StopAsyncIteration)

    async def aclose(self) -> None:
        self._cancel()

    async def __aenter__(self) -> AsyncTokenStream:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._cancel()
