# SPDX-License-Identifier: Apache-2.0
"""Keywords of a request, and the C structs that they become."""
from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import _c
from ._library import call, library, sized
from .errors import UsageError


class Options(_c.SamplerNumbers, total=False):
    """How a text is continued. Names and defaults are llama.cpp's, and over them what the model's files say."""

    max_tokens: int  # -1: until it stops or the context ends
    stop: str | Sequence[str]  # strings that end the answer and are not part of its text
    logprobs: int  # most likely tokens to report beside the log-probability of each token
    ignore_stop: bool  # stop tokens do not stop
    special_text: bool  # special tokens appear in the text by name
    priority: int
    stages: str  # letters of the sampler's chain: docs/sampling.md
    dry_sequence_breakers: Sequence[str]
    logit_bias: Mapping[int, float]
    json_schema: str | Mapping[str, Any]
    json_object: bool
    regex: str
    lark: str
    gbnf: str


if TYPE_CHECKING:
    from typing_extensions import Unpack as Unpack

_GRAMMARS = {
    "json_schema": _c.LLCUDA_GRAMMAR_JSON_SCHEMA, "json_object": _c.LLCUDA_GRAMMAR_JSON_OBJECT,
    "regex": _c.LLCUDA_GRAMMAR_REGEX, "lark": _c.LLCUDA_GRAMMAR_LARK, "gbnf": _c.LLCUDA_GRAMMAR_GBNF,
}
_NUMBERS = frozenset(_c.SamplerNumbers.__annotations__)
_OTHERS = frozenset(Options.__annotations__) - _NUMBERS


def take(name: str, convert: Callable[[Any], Any], value: Any) -> Any:
    """A value in the type that is wanted, or an error that names the keyword."""
    try:
        return convert(value)
    except (TypeError, ValueError, OverflowError, UnicodeError) as error:
        raise UsageError(f"{name}: {error}") from None


def assign(struct: Any, field: str, value: Any, name: str | None = None) -> None:
    """The same for a field of a struct; `name` is the keyword's, where it is another one."""
    take(name or field, lambda given: setattr(struct, field, given), value)


def strings(name: str, given: str | Sequence[str]) -> tuple[Any, Any, int]:
    """Pointers, lengths and number of strings; None for none."""
    encoded = [take(name, str.encode, text) for text in ([given] if isinstance(given, str) else given)]
    if not encoded:
        return None, None, 0
    lengths = (ctypes.c_size_t * len(encoded))(*map(len, encoded))
    return (ctypes.c_char_p * len(encoded))(*encoded), lengths, len(encoded)


class RequestStruct:
    """An llcuda_request, with what it points to. `close` frees its grammar, after it was submitted."""

    def __init__(self, engine: ctypes.c_void_p, tokens: Sequence[int], options: Mapping[str, Any]):
        unknown = sorted(set(options) - _NUMBERS - _OTHERS)
        if unknown:
            raise UsageError(f"{unknown[0]} is no option; there are {', '.join(sorted(_NUMBERS | _OTHERS))}")
        self.struct = _c.llcuda_request()
        library().llcuda_request_init(ctypes.byref(self.struct))
        self.ids = take("tokens", lambda ids: (ctypes.c_int32 * len(ids))(*ids), tokens)
        self.struct.tokens, self.struct.count = self.ids, len(self.ids)
        for name in ("max_tokens", "priority", "logprobs"):
            if name in options:
                assign(self.struct, name, options[name])
        for name in ("ignore_stop", "special_text"):
            setattr(self.struct, name, bool(options.get(name, False)))
        stops = strings("stop", options.get("stop", ()))
        self.struct.stop, self.struct.stop_bytes, self.struct.stop_count = stops
        self.sampler = self.sampler_of(engine, options)
        self.struct.sampler = ctypes.pointer(self.sampler)
        self.grammar = self.grammar_of(engine, options)
        self.struct.grammar = self.grammar

    def sampler_of(self, engine: ctypes.c_void_p, options: Mapping[str, Any]) -> _c.llcuda_sampler:
        sampler: _c.llcuda_sampler = sized(_c.llcuda_sampler)
        call("llcuda_engine_default_sampler", engine, ctypes.byref(sampler))
        for name in _NUMBERS.intersection(options):
            assign(sampler, name, options[name])
        sampler.has_seed = int("seed" in options or bool(sampler.has_seed))
        if "stages" in options:
            sampler.stages = take("stages", str.encode, options["stages"])
        if "dry_sequence_breakers" in options:
            breakers = strings("dry_sequence_breakers", options["dry_sequence_breakers"])
            (sampler.dry_sequence_breakers, sampler.dry_sequence_breaker_bytes,
             sampler.dry_sequence_breaker_count) = breakers
        if options.get("logit_bias"):
            biases = [take("logit_bias", lambda entry: _c.llcuda_logit_bias(*entry), entry)
                      for entry in options["logit_bias"].items()]
            sampler.logit_bias = (_c.llcuda_logit_bias * len(biases))(*biases)
            sampler.logit_bias_count = len(biases)
        return sampler

    @staticmethod
    def grammar_of(engine: ctypes.c_void_p, options: Mapping[str, Any]) -> ctypes.c_void_p | None:
        given = [name for name in _GRAMMARS if options.get(name) not in (None, False)]
        if not given:
            return None
        if len(given) > 1:
            raise UsageError(f"{given[0]} and {given[1]} are both given; an answer has one form")
        value = options[given[0]]
        if isinstance(value, Mapping):
            import json

            value = json.dumps(value)
        text = b"" if value is True else take(given[0], str.encode, value)
        grammar = ctypes.c_void_p()
        call("llcuda_grammar_create", engine, _GRAMMARS[given[0]], text, len(text), ctypes.byref(grammar))
        return grammar

    def close(self) -> None:
        library().llcuda_grammar_destroy(self.grammar)
        self.grammar = None
