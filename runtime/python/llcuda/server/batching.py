# SPDX-License-Identifier: Apache-2.0
"""The engine's scheduler with its requests in view: who waits, who generates, what came of each.

    scheduler = ContinuousBatchScheduler(llm, max_batch_size=8)
    slots = [scheduler.add_request(prompt, max_tokens=64) for prompt in prompts]
    while scheduler.active:
        for slot in scheduler.step():
            print(slot.index, slot.state, slot.text)

The library's own thread batches, admits and evicts (docs/serving.md); a step here takes what it has done meanwhile.
"""
from __future__ import annotations

import enum
import os
import queue
from typing import TYPE_CHECKING, Any

from .._requests import Answer, End
from .._types import Completion, Prompt, Token
from ..engine import Engine
from ..errors import CancelledError, Error, UsageError

if TYPE_CHECKING:
    from .._options import Options, Unpack

__all__ = ["ContinuousBatchScheduler", "RequestSlot", "SlotState"]


class SlotState(enum.Enum):
    """WAITING for a place among max_batch_size, or for its first token; GENERATING; and how it ended."""

    WAITING = "waiting"
    PREFILL = "prefill"
    GENERATING = "generating"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


_ENDED = frozenset((SlotState.DONE, SlotState.CANCELLED, SlotState.FAILED))


class RequestSlot:
    """One request. `index` counts them from 0; `prompt_done` of `prompt_total` tokens are computed, as far as long
    prompts report it; `tokens` and `text` are what came so far; `error` is why it failed."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.state = SlotState.WAITING
        self.prompt_done = self.prompt_total = 0
        self.tokens: list[int] = []
        self.text = ""
        self.error: Error | None = None
        self._answer: Answer

    @property
    def ended(self) -> bool:
        return self.state in _ENDED

    @property
    def completion(self) -> Completion:
        if self.state is not SlotState.DONE:
            raise self.error or UsageError(f"request {self.index} has not ended; call step() until it has")
        return self._answer.completion()

    def _take(self, item: Any) -> None:
        if isinstance(item, Token):
            self.state = SlotState.GENERATING
            self.text += item.text
            if item.id >= 0:
                self.tokens.append(item.id)
        elif isinstance(item, End):
            self.error = item.error
            self.state = SlotState.DONE if item.error is None else \
                SlotState.CANCELLED if isinstance(item.error, CancelledError) else SlotState.FAILED
        else:
            self.state = SlotState.PREFILL
            self.prompt_done, self.prompt_total = item


class ContinuousBatchScheduler:
    """`model` is an engine file, on which as many requests run at a time as `max_batch_size` says, or an Engine that is
    open, which decides that itself. Belongs to one thread."""

    def __init__(self, model: Engine | str | os.PathLike[str], max_batch_size: int = 0, **how: Any) -> None:
        self._owns = not isinstance(model, Engine)
        self.engine = model if isinstance(model, Engine) else Engine(model, slots=max_batch_size, **how)
        if not self._owns and (max_batch_size or how):
            raise UsageError("the engine is open already; its slots say how many requests run at a time")
        self.slots: list[RequestSlot] = []
        self.active = 0  # requests that have not ended
        self._items: queue.SimpleQueue[tuple[RequestSlot, Any]] = queue.SimpleQueue()

    def add_request(self, prompt: Prompt, **options: Unpack[Options]) -> RequestSlot:
        """Joins the others at once, whatever they are at. Options are those of Engine.generate."""
        slot = RequestSlot(len(self.slots))
        slot._answer = self.engine._submit(self.engine._prompt_tokens(prompt), options,
                                           lambda item: self._items.put((slot, item)))
        self.slots.append(slot)
        self.active += 1
        return slot

    def step(self) -> list[RequestSlot]:
        """Waits until something has come of a request and takes all that has; the slots that changed. At once and empty
        where all have ended."""
        changed: dict[int, RequestSlot] = {}
        while self.active:
            try:
                slot, item = self._items.get(block=not changed)
            except queue.Empty:
                break
            slot._take(item)
            self.active -= slot.ended
            changed[slot.index] = slot
        return list(changed.values())

    def run(self) -> list[Completion]:
        """Until all have ended; what came of each, in the order of the requests."""
        while self.active:
            self.step()
        return [slot.completion for slot in self.slots]

    def cancel(self, slot: RequestSlot) -> None:
        """Ends it within a step of the device, with the state CANCELLED."""
        self.engine.cancel(slot._answer)

    def close(self) -> None:
        """Cancels what has not ended; an engine that was opened here is closed."""
        for slot in self.slots:
            if not slot.ended:
                self.cancel(slot)
        if self._owns:
            self.engine.close()

    def __enter__(self) -> ContinuousBatchScheduler:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
