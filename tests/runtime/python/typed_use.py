# SPDX-License-Identifier: Apache-2.0
"""Calls whose types mypy checks; nobody runs them."""
from collections.abc import Iterator

import llcuda


def words(engine: llcuda.Engine) -> Iterator[str]:
    greedy: llcuda.Options = {"temperature": 0, "max_tokens": 8}
    for token in engine.stream("abc", **greedy):
        yield token.text
    answer: llcuda.Completion = engine.chat([{"role": "user", "content": "Hello"}], top_k=40, stop=["\n"])
    yield answer.text + answer.message["content"]


async def asked(engine: llcuda.Engine) -> list[str]:
    texts = [token.text async for token in engine.astream("abc", max_tokens=3)]
    return [*texts, (await engine.agenerate([1, 2], seed=7)).text]


def compiled(path: str) -> int:
    def show(step: llcuda.Progress) -> None:
        print(step.stage, step.done, step.total)

    report = llcuda.compile(path, lora={"adapter": 0.5}, targets=("sm_75", "host"), progress=show)
    return report.memory.total
