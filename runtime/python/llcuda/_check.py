# SPDX-License-Identifier: Apache-2.0
"""Whether an engine is the model that it was made of: the training side's tokens, chats and likely tokens."""
from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import _c
from ._types import Message
from .engine import Engine
from .errors import UsageError

TEXTS = ("The capital of France is", "def add(a, b):\n    return a + b\n", "Grüße, 日本語, 🙂 and 1234567890!")
CHATS: tuple[Sequence[Message], ...] = (
    ({"role": "user", "content": "Hello"},),
    ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}),
    ({"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi."},
     {"role": "user", "content": "What is 2 + 2?"}),
)
_RENDERED = _c.LLCUDA_RENDERED_CHAT
_TOP = 5
_LISTED = 20  # that an engine reports at most


@dataclass(frozen=True)
class Parity:
    """True where engine and model agree; `differences` has a sentence for each part that differs, which says where.
    `max_error` is the largest difference of the log-probabilities of the model's five likeliest tokens."""

    differences: tuple[str, ...]
    texts: int
    chats: int
    prompts: int
    max_error: float

    def __bool__(self) -> bool:
        return not self.differences

    def __str__(self) -> str:
        counts = (f"{self.texts} texts, {self.chats} chats and {self.prompts} prompts compared; log-probabilities differ "
                  f"by up to {self.max_error:.3g}")
        return "\n".join(("the engine differs from the model:", *self.differences, counts) if self.differences
                         else (f"the engine agrees with the model: {counts}",))


def check(model: Any, tokenizer: Any, engine: Engine, *, texts: Sequence[str] = TEXTS,
          chats: Sequence[Sequence[Message]] = CHATS, tolerance: float = 0.5) -> Parity:
    """Compares an engine with the model and tokenizer of transformers (or PEFT, or Unsloth) that it was made of: token
    ids of texts, conversations as the templates write them, and after each text the five likeliest tokens.

    `tolerance` is of natural log-probabilities. An engine of the same weights differs by a few hundredths, one that was
    quantised to 4 bits by some tenths.
    """
    tokenizer = getattr(tokenizer, "tokenizer", tokenizer)  # a processor's
    differences = [sentence for text in texts for sentence in _compare_ids(tokenizer, engine, text)]
    has_template = bool(getattr(tokenizer, "chat_template", None))
    if has_template:
        differences += [sentence for chat in chats for sentence in _compare_chat(tokenizer, engine, chat)]
    largest = 0.0
    for text in texts:
        error, sentences = _compare_likely(model, list(tokenizer(text)["input_ids"]), engine, text, tolerance)
        largest = max(largest, error)
        differences += sentences
    return Parity(tuple(differences), len(texts), len(chats) if has_template else 0, len(texts), largest)


def _first_difference(a: Sequence[Any], b: Sequence[Any]) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


def _compare_ids(tokenizer: Any, engine: Engine, text: str) -> list[str]:
    wanted, found = list(tokenizer(text)["input_ids"]), engine.tokenize(text, bos=True)
    if wanted == found:
        return []
    place = _first_difference(wanted, found)
    return [f"tokens of {text!r}: from token {place} on the tokenizer has {wanted[place:place + 4]}, the engine "
            f"{found[place:place + 4]}"]


def _compare_chat(tokenizer: Any, engine: Engine, messages: Sequence[Message]) -> list[str]:
    what = f"the chat of {', '.join(str(message['role']) for message in messages)}"
    try:
        wanted = tokenizer.apply_chat_template([dict(message) for message in messages], tokenize=False,
                                               add_generation_prompt=True)
    except Exception as error:  # the template's own, of whatever renders it
        wanted = error
    try:
        found: Any = engine.render(messages)
    except RuntimeError as error:
        found = error
    if isinstance(wanted, Exception) or isinstance(found, Exception):
        return [] if isinstance(wanted, Exception) and isinstance(found, Exception) else \
            [f"{what}: the tokenizer gives {wanted!r}, the engine {found!r}"]
    if wanted != found:
        place = _first_difference(wanted, found)
        return [f"{what}: from character {place} on the tokenizer writes {wanted[place:place + 24]!r}, the engine "
                f"{found[place:place + 24]!r}"]
    ids = list(tokenizer(wanted, add_special_tokens=False)["input_ids"])
    tokens = engine._tokens_of(found, _RENDERED)
    if ids == tokens:
        return []
    place = _first_difference(ids, tokens)
    return [f"{what}: from token {place} on the tokenizer has {ids[place:place + 4]}, the engine "
            f"{tokens[place:place + 4]}"]


def _compare_likely(model: Any, ids: Sequence[int], engine: Engine, text: str,
                    tolerance: float) -> tuple[float, list[str]]:
    """The largest difference, and what is to be said."""
    if not ids:
        raise UsageError(f"{text!r} has no token")
    wanted = _likely(model, ids)
    answer = engine.generate(ids, max_tokens=1, temperature=0, ignore_stop=True, logprobs=_LISTED)
    listed = {one.id: one.logprob for one in answer.logprobs[0].top}
    least = min(listed.values())
    # A token that is not listed is at most as likely as the last that is.
    errors = {token: abs(listed[token] - logprob) if token in listed else max(0.0, logprob - least)
              for token, logprob in wanted.items()}
    worst = max(errors, key=lambda token: errors[token])
    if errors[worst] <= tolerance:
        return errors[worst], []
    shown = f"{listed[worst]:.3f}" if worst in listed else f"at most {least:.3f}"
    return errors[worst], [f"likely tokens after {text!r}: token {worst} has the log-probability {wanted[worst]:.3f} by "
                           f"the model and {shown} by the engine"]


def _likely(model: Any, ids: Sequence[int]) -> Mapping[int, float]:
    """The model's likeliest tokens behind `ids` and their log-probabilities."""
    torch = importlib.import_module("torch")
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([list(ids)], device=model.device)).logits[0, -1].double()
    finally:
        model.train(was_training)
    values, tokens = torch.log_softmax(logits, dim=-1).topk(_TOP)
    likely = dict(zip(tokens.tolist(), values.tolist()))
    if not all(math.isfinite(value) for value in likely.values()):
        raise UsageError("the model's logits are no numbers; its training diverged, or its dtype does not hold them")
    return likely
