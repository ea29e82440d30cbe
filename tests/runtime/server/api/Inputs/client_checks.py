# SPDX-License-Identifier: Apache-2.0
"""OpenAI's own client against llcuda-serve with a tiny model on the processor. It runs in an environment of its own.

usage: client_checks.py SERVER MODEL
"""
import json
import sys
import time
import urllib.request
from typing import Literal

import openai
import pydantic
from served import Served, until

HI = [{"role": "user", "content": "Say hi"}]
GREEDY = {"model": "tiny", "temperature": 0, "max_tokens": 24}


def chat(client, _):
    answer = client.chat.completions.create(messages=HI, **GREEDY)
    assert answer.choices[0].finish_reason == "length" and answer.choices[0].message.role == "assistant"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.usage.prompt_tokens_details.cached_tokens >= 0


def stream(client, _):
    plain = client.chat.completions.create(messages=HI, **GREEDY).choices[0].message.content
    chunks = list(client.chat.completions.create(messages=HI, stream=True, stream_options={"include_usage": True}, **GREEDY))
    assert chunks[0].choices[0].delta.role == "assistant" and chunks[-1].usage.completion_tokens == 24
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == plain


def log_probabilities(client, _):
    tokens = client.chat.completions.create(messages=HI, logprobs=True, top_logprobs=3, **GREEDY).choices[0].logprobs.content
    assert len(tokens) == 24 and all(len(token.top_logprobs) == 3 and token.logprob <= 0 for token in tokens)
    legacy = client.completions.create(prompt="The work", logprobs=2, **GREEDY).choices[0].logprobs
    assert len(legacy.tokens) == len(legacy.token_logprobs) == len(legacy.top_logprobs) == len(legacy.text_offset) == 24


def text(client, _):
    answer = client.completions.create(model="tiny", prompt=["a", "b"], n=2, max_tokens=2)
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]


def embeddings(client, _):
    """The client asks for base64 unless it is told otherwise."""
    packed = client.embeddings.create(model="tiny", input=["a b", "c"]).data
    plain = client.embeddings.create(model="tiny", input=["a b", "c"], encoding_format="float").data
    assert [one.index for one in packed] == [0, 1]
    for one, other in zip(packed, plain):
        assert abs(sum(value * value for value in one.embedding) - 1) < 1e-3
        assert max(abs(a - b) for a, b in zip(one.embedding, other.embedding)) < 1e-6
    assert len(client.embeddings.create(model="tiny", input=[[1, 300], [1, 301]], dimensions=8).data[1].embedding) == 8


def echo(client, _):
    """What lm-eval asks for: the prompt's tokens with their log-probabilities, the first without."""
    answer = client.completions.create(model="tiny", prompt=[[1, 300, 301, 302]], max_tokens=1, logprobs=1, temperature=0, echo=True)
    numbers = answer.choices[0].logprobs
    assert len(numbers.tokens) == 5 and numbers.token_logprobs[0] is None and numbers.top_logprobs[0] is None
    assert all(number <= max(top.values()) <= 0 for number, top in zip(numbers.token_logprobs[1:], numbers.top_logprobs[1:]))
    assert "".join(numbers.tokens) == answer.choices[0].text


def json_schema(client, _):
    """Kinds are bounded, so that any model comes to the end."""
    class Pet(pydantic.BaseModel):
        kind: Literal["cat", "dog"]
        legs: Literal[2, 4]

    answer = client.chat.completions.parse(model="tiny", messages=HI, response_format=Pet, max_tokens=400, temperature=0.5)
    assert answer.choices[0].message.parsed.legs in (2, 4), answer
    try:
        client.chat.completions.create(model="tiny", messages=HI, response_format={"type": "json_object", "schema": {"type": "hiccup"}})
    except openai.BadRequestError as error:
        assert error.param == "response_format", error.body
    else:
        raise AssertionError("a schema that is none was taken")


def tools(client, _):
    """A forced call, whole and in pieces, of which the first has no arguments; and its result back in."""
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {
        "type": "object", "properties": {"city": {"type": "string", "enum": ["Rome", "Oslo"]}}, "required": ["city"], "additionalProperties": False}}}
    ask = {"model": "tiny", "messages": HI, "tools": [tool], "max_tokens": 200, "temperature": 0, "parallel_tool_calls": False}
    choice = client.chat.completions.create(tool_choice="required", **ask).choices[0]
    call = choice.message.tool_calls[0]
    assert choice.finish_reason == "tool_calls" and json.loads(call.function.arguments)["city"] in ("Rome", "Oslo"), choice
    named = {"type": "function", "function": {"name": "get_weather"}}
    chunks = [chunk.choices[0] for chunk in client.chat.completions.create(tool_choice=named, stream=True, **ask) if chunk.choices]
    pieces = [piece for chunk in chunks for piece in chunk.delta.tool_calls or []]
    assert pieces[0].id and pieces[0].function.name == "get_weather" and pieces[0].function.arguments == ""
    assert all(piece.id is None for piece in pieces[1:])
    assert "".join(piece.function.arguments for piece in pieces) == call.function.arguments
    history = [*HI, choice.message.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    client.chat.completions.create(model="tiny", messages=history, tools=[tool], max_tokens=4)


def errors(client, _):
    for arguments, param in (({"temperature": -1}, "temperature"), ({"n": 129}, "n"), ({"stop": ["a"] * 17}, "stop")):
        try:
            client.chat.completions.create(model="tiny", messages=HI, **arguments)
        except openai.BadRequestError as error:
            assert error.param == param and error.type == "invalid_request_error", error.body
        else:
            raise AssertionError(f"{arguments} were taken")


def models(client, _):
    name = client.models.list().data[0].id
    assert client.models.retrieve(name).id == name


def cancel(client, server):
    """A stream that is closed frees its slot at once."""
    answer = client.chat.completions.create(model="tiny", messages=HI, stream=True, max_tokens=3000)
    next(iter(answer))
    begin = time.monotonic()
    answer.close()
    until(lambda: not any(slot["is_processing"] for slot in json.load(urllib.request.urlopen(server.url + "/slots"))))
    assert time.monotonic() - begin < 5


CHECKS = (chat, stream, log_probabilities, text, json_schema, tools, embeddings, echo, errors, models, cancel)


def main(program, model):
    with Served(program, model, "--ctx-size", "8192", "--parallel", "2", "--slots", "--chat-template", "chatml") as server:
        client = openai.OpenAI(base_url=server.url + "/v1", api_key="none", max_retries=0, timeout=120)
        for check in CHECKS:
            check(client, server)
            print(f"{check.__name__} ok", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
