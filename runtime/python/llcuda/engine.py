# SPDX-License-Identifier: Apache-2.0
"""An engine on a device: what its users call."""
from __future__ import annotations

import array
import ctypes
import math
import os
import re
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Literal

from . import _c
from ._library import call, check_process, library, sized, text_of
from ._options import RequestStruct, assign, take
from ._progress import ProgressArgument, Reporter
from ._requests import Answer, Deliver, Requests
from ._session import Session
from ._types import Completion, EngineInfo, Message, Prompt, SelfCheck, TokenLogprob
from ._waiting import AsyncTokenStream, TokenStream, await_answer, wait
from .errors import CancelledError, UnsupportedError, UsageError

if TYPE_CHECKING:
    from ._options import Options, Unpack

Device = Literal["auto", "cuda", "host"]
Verify = Literal["full", "lazy"]
Pooling = Literal["default", "mean", "last", "cls"]
Log = Callable[[str, str], None]

DEVICES = {"auto": _c.LLCUDA_DEVICE_AUTO, "cuda": _c.LLCUDA_DEVICE_CUDA, "host": _c.LLCUDA_DEVICE_HOST}
VERIFY = {"full": _c.LLCUDA_VERIFY_FULL, "lazy": _c.LLCUDA_VERIFY_LAZY}
_POOLINGS = {"default": _c.LLCUDA_POOLING_DEFAULT, "mean": _c.LLCUDA_POOLING_MEAN, "last": _c.LLCUDA_POOLING_LAST,
             "cls": _c.LLCUDA_POOLING_CLS}
_TOGETHER = 128  # requests of one batch that wait or run at a time
_ABOVE_ALL = 200.0  # as a bias of two tokens it leaves them alone, and their ratio as it is


def log_to_logging(level: str, line: str) -> None:
    import logging

    logging.getLogger("llcuda").log(logging.WARNING if level == "warning" else logging.INFO, "%s", line)


def _choice(name: str, given: str, table: Mapping[str, int]) -> int:
    if given not in table:
        raise UsageError(f"{name} is {given!r}; there are {', '.join(table)}")
    return table[given]


def _filled(template: str, query: str, document: str) -> str:
    """Once over the template: what the two hold stays as it is."""
    return re.sub(r"\{(query|document)\}", lambda place: query if place[1] == "query" else document, template)


def _release(handle: ctypes.c_void_p, requests: Requests | None, process: int) -> None:
    if os.getpid() != process:  # a forked child has neither the thread nor the device
        return
    if requests:
        requests.close()
    library().llcuda_engine_close(handle)


class Engine:
    """An engine file on a device. Any number of threads may use it at once, and their requests share its steps.

    device         "auto" (a GPU, else the host with a warning), "cuda", "host"; None: none, for tokens and templates
    gpu            which GPU, as CUDA numbers them
    context        positions of a request at most; 0: as many as the engine was compiled for
    slots          requests that run at a time; 0: as many as the engine was compiled for
    cache_bytes    of keys and values on the device at most; 0: what is free, less 256 MiB
    weights_from   for an engine that leaves its weights in the model's files: the file, or their folder
    verify         "full": bytes of the file are compared with its hashes when it is opened, the weights while they are
                   loaded; "lazy": each part when it is used first
    log            gets "info" or "warning", and a line; by default they go to the logger "llcuda"
    """

    def __init__(self, path: str | os.PathLike[str], *, device: Device | None = "auto", gpu: int = 0, context: int = 0,
                 slots: int = 0, cache_bytes: int = 0, weights_from: str | os.PathLike[str] | None = None,
                 verify: Verify = "full", log: Log = log_to_logging) -> None:
        check_process()
        self.path = os.fspath(path)
        self._requests: Requests | None = None
        self._weights_from = os.fsencode(weights_from) if weights_from is not None else None
        self._device = None if device is None else _choice("device", device, DEVICES)
        self._gpu, self._log = gpu, log
        self._handle = ctypes.c_void_p()
        options = _c.llcuda_open_options()
        library().llcuda_open_options_init(ctypes.byref(options))
        options.verify = _choice("verify", verify, VERIFY)
        call("llcuda_engine_open_with", os.fsencode(path), ctypes.byref(options), ctypes.byref(self._handle))
        try:
            if self._device is not None:
                self._requests = Requests(self._handle, self._scheduler_options(context, slots, cache_bytes))
        except BaseException:
            library().llcuda_engine_close(self._handle)
            raise
        self._close = weakref.finalize(self, _release, self._handle, self._requests, os.getpid())

    def _scheduler_options(self, context: int, slots: int, cache_bytes: int) -> _c.llcuda_scheduler_options:
        options = _c.llcuda_scheduler_options()
        library().llcuda_scheduler_options_init(ctypes.byref(options))
        options.queue = 1 << 20
        assign(options, "device_index", self._gpu, "gpu")
        for name, value in dict(device=self._device, context=context, slots=slots, cache_bytes=cache_bytes,
                                weights_from=self._weights_from).items():
            assign(options, name, value)
        self._log_callback = log_callback(self._log)
        options.log = self._log_callback
        return options

    def close(self) -> None:
        """Ends what runs (its callers get a CancelledError) and frees the device. An engine may be closed twice."""
        self._close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("an engine cannot be pickled; open it by its path where it is needed")

    def __repr__(self) -> str:
        return f"llcuda.Engine({self.path!r})"

    def _open(self) -> ctypes.c_void_p:
        check_process()
        if not self._close.alive:
            raise CancelledError("the engine is closed")
        return self._handle

    @property
    def info(self) -> EngineInfo:
        info = sized(_c.llcuda_engine_info)
        library().llcuda_engine_get_info(self._open(), ctypes.byref(info))
        values: dict[str, Any] = {}
        for field in fields(EngineInfo):
            value = getattr(info, field.name)
            if isinstance(value, bytes):
                value = value.decode("utf-8", "replace")
            values[field.name] = bool(value) if field.type == "bool" else value
        return EngineInfo(**values)

    def describe(self, *, context: int = 0, slots: int = 0) -> dict[str, Any]:
        """What the engine is, as `llcuda-inspect --json` says it: the model, what compiled it and how, limits, sampling
        defaults, and under "memory" the bytes that `slots` sequences of `context` positions take on a device; 0: as
        many as it was compiled for."""
        import json

        if not (0 <= context < 1 << 32 and 0 <= slots < 1 << 32):
            raise UsageError(f"context is {context} and slots is {slots}; both are whole numbers from 0 on")
        described: dict[str, Any] = json.loads(text_of("llcuda_engine_describe", self._open(), context, slots))
        return described

    # ----------------------------------------------------------------------------------------------------------- text

    def tokenize(self, text: str, *, bos: bool = False, special: bool = True) -> list[int]:
        """Token ids. With `special`, text such as "<|im_end|>" is the special token of that name."""
        flags = (_c.LLCUDA_ADD_BOS if bos else 0) | (_c.LLCUDA_PARSE_SPECIAL if special else 0)
        return self._tokens_of(text, flags)

    def _tokens_of(self, text: str, flags: int) -> list[int]:
        encoded = take("text", str.encode, text)
        capacity = len(encoded) + 8
        while True:
            ids, count = (ctypes.c_int32 * capacity)(), ctypes.c_size_t()
            try:
                call("llcuda_tokenize", self._open(), encoded, len(encoded), flags, ids, capacity, ctypes.byref(count))
            except UsageError:
                if count.value <= capacity:
                    raise
                capacity = count.value
                continue
            return ids[:count.value]

    def detokenize(self, tokens: Sequence[int], *, special: bool = False) -> str:
        """Text of tokens; special ones by name, or left out."""
        ids = take("tokens", lambda given: (ctypes.c_int32 * len(given))(*given), tokens)
        return text_of("llcuda_detokenize", self._open(), ids, len(ids), int(special)).decode("utf-8", "replace")

    def token_bytes(self, token: int) -> bytes | None:
        """What one token stands for, which may be a part of a character; None: the vocabulary lacks it."""
        piece, count = ctypes.c_void_p(), ctypes.c_size_t()
        flags = library().llcuda_token_piece(self._open(), token, ctypes.byref(piece), ctypes.byref(count))
        if not flags & _c.LLCUDA_PIECE_PRESENT:
            return None
        return ctypes.string_at(piece, count.value) if piece else b""

    def render(self, messages: Sequence[Message], *, tools: Sequence[Any] | None = None, template: str | None = None,
               variables: Mapping[str, Any] | None = None, open_reply: bool = True) -> str:
        """A conversation as the model's chat template writes it. `template` names one of those that the model has
        besides; `variables` are what the template may ask for, such as {"enable_thinking": False}."""
        import json

        given: dict[str, Any] = {**(variables or {}), "messages": list(messages), "add_generation_prompt": open_reply}
        if tools is not None:
            given["tools"] = list(tools)
        text = take("messages", json.dumps, given).encode()
        name = template.encode() if template is not None else None
        return text_of("llcuda_render_chat_json", self._open(), name, text, len(text)).decode("utf-8", "replace")

    # ------------------------------------------------------------------------------------------------------- requests

    def _prompt_tokens(self, prompt: Prompt) -> Sequence[int]:
        if not isinstance(prompt, str):
            return prompt
        return self._tokens_of(prompt, _c.LLCUDA_ADD_BOS | _c.LLCUDA_PARSE_SPECIAL)

    def _chat_tokens(self, messages: Sequence[Message], **how: Any) -> list[int]:
        return self._tokens_of(self.render(messages, **how), _c.LLCUDA_RENDERED_CHAT)

    def _submit(self, tokens: Sequence[int], options: Mapping[str, Any], deliver: Deliver,
                **more: int) -> Answer:
        engine = self._open()
        if self._requests is None:
            raise UsageError("the engine was opened with device=None, for tokens and templates alone")
        request = RequestStruct(engine, tokens, options)
        try:
            for name, value in more.items():
                setattr(request.struct, name, value)
            stops = options.get("stop", ())
            names = (stops,) if isinstance(stops, str) else tuple(stops)
            answer = Answer(deliver, names, request.struct.logprobs >= 0)
            self._requests.submit(request.struct, answer)
        finally:
            request.close()
        return answer

    def cancel(self, answer: Answer) -> None:
        if self._requests and self._close.alive:
            self._requests.cancel(answer)

    def generate(self, prompt: Prompt, *, progress: ProgressArgument = False, **options: Unpack[Options]) -> Completion:
        """The continuation of a text or of tokens. Options are those of `llcuda.Options`; `progress` is about the
        prompt."""
        return self._complete(self._prompt_tokens(prompt), progress, options)

    def chat(self, messages: Sequence[Message], *, tools: Sequence[Any] | None = None, template: str | None = None,
             variables: Mapping[str, Any] | None = None, progress: ProgressArgument = False,
             **options: Unpack[Options]) -> Completion:
        """The answer to a conversation, as `render` writes it."""
        tokens = self._chat_tokens(messages, tools=tools, template=template, variables=variables)
        return self._complete(tokens, progress, options)

    def _complete(self, tokens: Sequence[int], progress: ProgressArgument, options: Mapping[str, Any]) -> Completion:
        with Reporter(progress) as reporter:
            return wait(self, lambda deliver: self._submit(tokens, options, deliver),
                        reporter.stage("prompt") if reporter.wanted else None).completion()

    def stream(self, prompt: Prompt, **options: Unpack[Options]) -> TokenStream:
        """Tokens as they come. Closing the iterator ends the request within a step."""
        tokens = self._prompt_tokens(prompt)
        return TokenStream(self, lambda deliver: self._submit(tokens, options, deliver))

    def stream_chat(self, messages: Sequence[Message], *, tools: Sequence[Any] | None = None,
                    template: str | None = None, variables: Mapping[str, Any] | None = None,
                    **options: Unpack[Options]) -> TokenStream:
        tokens = self._chat_tokens(messages, tools=tools, template=template, variables=variables)
        return TokenStream(self, lambda deliver: self._submit(tokens, options, deliver))

    def batch(self, prompts: Iterable[Prompt], *, progress: ProgressArgument = None,
              **options: Unpack[Options]) -> list[Completion]:
        """Many prompts at once; answers in their order, each as it would be alone. Engines compiled with a larger
        `max_batch` run more at a time."""
        answers = self._many((self._prompt_tokens(prompt) for prompt in prompts), options, progress, "batch")
        return [answer.completion() for answer in answers]

    def _many(self, prompts: Iterable[Sequence[int]], options: Mapping[str, Any], progress: ProgressArgument,
              stage: str, **more: int) -> list[Answer]:
        import queue

        from ._requests import End

        everything = list(prompts)
        ended: queue.SimpleQueue[End] = queue.SimpleQueue()
        answers: list[Answer] = []

        def deliver(item: Any) -> None:
            if isinstance(item, End):
                ended.put(item)

        with Reporter(progress) as reporter:
            report = reporter.stage(stage)
            try:
                for done in range(len(everything)):
                    while len(answers) < min(len(everything), done + _TOGETHER):
                        answers.append(self._submit(everything[len(answers)], options, deliver, **more))
                    if error := ended.get().error:
                        raise error
                    report(done + 1, len(everything))
            except BaseException:
                for answer in answers:
                    self.cancel(answer)
                raise
        return answers

    def embed(self, texts: Sequence[Prompt], *, pooling: Pooling = "default",
              progress: ProgressArgument = None) -> list[array.array[float]]:
        """A row of numbers of length 1 for each text; numpy.asarray takes one without a copy."""
        if isinstance(texts, str):
            raise UsageError("texts is one text; embed([text]) gives a list of one row")
        answers = self._many((self._prompt_tokens(text) for text in texts), {}, progress, "embeddings",
                             task=_c.LLCUDA_TASK_EMBED, pooling=_choice("pooling", pooling, _POOLINGS))
        return [answer.embedding for answer in answers]

    def rerank(self, query: str, documents: Sequence[str], *, template: str | None = None,
               answers: tuple[str, str] = ("yes", "no"), progress: ProgressArgument = None) -> list[float]:
        """How well each document answers the query, from 0 to 1, by a model that was trained to say it, as Qwen 3
        Reranker: the share that the first of `answers` has of the two as the token behind the prompt. That is
        `template` with {query} and {document} in it, else the model's template "rerank"."""
        if isinstance(documents, str):
            raise UsageError("documents is one text; rerank(query, [text]) gives a list of one number")
        form = self._rerank_template() if template is None else template
        first, second = (self._one_token(answer) for answer in answers)
        prompts = (self._tokens_of(_filled(form, query, document), _c.LLCUDA_RENDERED_CHAT) for document in documents)
        options = {"max_tokens": 1, "stages": "k", "top_k": 2, "logprobs": 2, "seed": 0, "ignore_stop": True,
                   "logit_bias": {first: _ABOVE_ALL, second: _ABOVE_ALL}}
        ranked = self._many(prompts, options, progress, "documents", post_sampling_probs=1)
        return [next((math.exp(candidate.logprob) for candidate in answer.logprobs[0].top if candidate.id == first), 0.0)
                for answer in ranked]

    def _one_token(self, word: str) -> int:
        tokens = self.tokenize(word, special=False)
        if len(tokens) != 1:
            raise UnsupportedError(f"this model ranks nothing: it has no token {word!r}")
        return tokens[0]

    def _rerank_template(self) -> str:
        source: bytes | None = library().llcuda_chat_template(self._open(), b"rerank", None)
        if source is None:
            raise UnsupportedError("the model has no template \"rerank\"; give one as template=, with {query} and "
                                   "{document} in it")
        return source.decode("utf-8", "replace")

    def logprobs(self, prompt: Prompt, continuation: Prompt, *, top: int = 0) -> list[TokenLogprob]:
        """How likely each token of the continuation is behind the prompt, and the `top` most likely ones there."""
        before = list(self._prompt_tokens(prompt))
        after = self.tokenize(continuation) if isinstance(continuation, str) else list(continuation)
        if not before or not after:
            raise UsageError("the prompt or the continuation has no token")
        return wait(self, lambda deliver: self._submit([*before, *after], {"max_tokens": 0}, deliver,
                                                       prompt_logprobs=top)).prompt_logprobs[-len(after):]

    # ---------------------------------------------------------------------------------------------------------- async

    async def agenerate(self, prompt: Prompt, **options: Unpack[Options]) -> Completion:
        """As generate, in an event loop; a task that is cancelled ends its request."""
        tokens = self._prompt_tokens(prompt)
        return (await await_answer(self, lambda deliver: self._submit(tokens, options, deliver))).completion()

    async def achat(self, messages: Sequence[Message], *, tools: Sequence[Any] | None = None,
                    template: str | None = None, variables: Mapping[str, Any] | None = None,
                    **options: Unpack[Options]) -> Completion:
        tokens = self._chat_tokens(messages, tools=tools, template=template, variables=variables)
        return (await await_answer(self, lambda deliver: self._submit(tokens, options, deliver))).completion()

    def astream(self, prompt: Prompt, **options: Unpack[Options]) -> AsyncTokenStream:
        """As stream, for `async for`."""
        tokens = self._prompt_tokens(prompt)
        return AsyncTokenStream(self, lambda deliver: self._submit(tokens, options, deliver))

    def astream_chat(self, messages: Sequence[Message], *, tools: Sequence[Any] | None = None,
                     template: str | None = None, variables: Mapping[str, Any] | None = None,
                     **options: Unpack[Options]) -> AsyncTokenStream:
        tokens = self._chat_tokens(messages, tools=tools, template=template, variables=variables)
        return AsyncTokenStream(self, lambda deliver: self._submit(tokens, options, deliver))

    async def abatch(self, prompts: Iterable[Prompt], **options: Unpack[Options]) -> list[Completion]:
        import asyncio

        return list(await asyncio.gather(*(self.agenerate(prompt, **options) for prompt in prompts)))

    # ------------------------------------------------------------------------------------------------------- sessions

    def session(self, *, context: int = 0, profile: bool = False) -> Session:
        """One sequence with a cache of its own, which is kept between calls. Shares the weights. `profile` times every
        kernel, which slows it down."""
        if self._device is None:
            raise UsageError("the engine was opened with device=None, for tokens and templates alone")
        return Session(self, self._open(), device=self._device, gpu=self._gpu, context=context, profile=profile,
                       weights_from=self._weights_from, log=log_callback(self._log))

    def self_check(self) -> SelfCheck:
        """Runs what the compiler recorded. SelfCheckError when the values are not the recorded ones."""
        with self.session() as session:
            return session.self_check()


def log_callback(log: Log) -> Any:
    def line(level: int, text: bytes, _: Any) -> None:
        log("warning" if level == _c.LLCUDA_LOG_WARNING else "info", text.decode("utf-8", "replace"))

    return _c.llcuda_log_callback(line)
