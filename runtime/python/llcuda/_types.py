# SPDX-License-Identifier: Apache-2.0
"""What the functions of an engine give."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Stop = Literal["stop", "length", "context", "string"]
Message = Mapping[str, Any]
Prompt = str | Sequence[int]


@dataclass(frozen=True)
class Candidate:
    """A token and its natural log-probability: of the plain logits, before any filter."""

    id: int
    logprob: float


@dataclass(frozen=True)
class Token:
    """`text` is what became certain with this token, and may be empty. `id` is -1 where only held back text comes."""

    id: int
    index: int
    text: str
    stops: bool = False
    logprob: float | None = None
    top: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class TokenLogprob:
    """How likely a token is after those in front of it."""

    id: int
    logprob: float
    top: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class Metrics:
    """Counts of tokens, and seconds."""

    prompt_tokens: int
    cached_tokens: int
    generated_tokens: int
    wait_seconds: float
    first_token_seconds: float
    total_seconds: float

    @property
    def tokens_per_second(self) -> float:
        """Of the tokens after the first."""
        seconds = self.total_seconds - self.wait_seconds - self.first_token_seconds
        return (self.generated_tokens - 1) / seconds if self.generated_tokens > 1 and seconds > 0 else 0.0


@dataclass(frozen=True)
class Completion:
    """`stop` says what ended it: "stop" a stop token, "length" max_tokens, "context" the last position, "string" the
    stop string `stop_string`. With `seed` the same call gives the same text again."""

    text: str
    tokens: tuple[int, ...]
    stop: Stop
    stop_string: str | None
    seed: int
    metrics: Metrics
    logprobs: tuple[TokenLogprob, ...] = field(default=(), repr=False)

    @property
    def message(self) -> dict[str, str]:
        """The turn to append to the messages of a chat."""
        return {"role": "assistant", "content": self.text}

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class EngineInfo:
    """What an engine says about itself: llcuda_engine_info."""

    architecture: str
    name: str
    source: str
    compiler: str
    key_type: str
    value_type: str
    vocabulary_kind: str
    fingerprint: str
    layers: int
    embedding: int
    vocabulary: int
    heads: int
    kv_heads: int
    head_size: int
    feed_forward: int
    trained_context: int
    max_context: int
    max_batch: int
    weight_bytes: int
    file_bytes: int
    has_tokenizer: bool
    has_chat_template: bool
    has_golden: bool
    add_bos: bool
    bos: int
    eos: int
    eot: int
    unknown: int
    padding: int


@dataclass(frozen=True)
class DeviceInfo:
    """A device that engines run on: llcuda_device_info. "host" is the processor; a compute capability of 0.0 is its."""

    device: Literal["cuda", "host"]
    index: int
    name: str
    compute_capability: tuple[int, int]
    multiprocessors: int
    driver_version: tuple[int, int] | None
    total_bytes: int


@dataclass(frozen=True)
class SelfCheck:
    """How the engine's values compare with those that its compiler recorded: llcuda_self_check."""

    positions: int
    different: int
    decisive_different: int
    mean_error: float
    max_error: float
    texts: int
    different_texts: int
