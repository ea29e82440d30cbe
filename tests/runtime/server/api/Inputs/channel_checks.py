# SPDX-License-Identifier: Apache-2.0
"""Answers in the channels of harmony, of an engine of gpt-oss behind a server. The model's weights are random: a
grammar says what it answers, token by token, so what is tested is all that comes after. usage: channel_checks.py SERVER
ENGINE"""
import json
import sys

from channel_model import IDS
from served import Served

CHAT = "/v1/chat/completions"
TOOL = {"type": "function", "function": {
    "name": "weather", "description": "Weather of a place", "parameters": {
        "type": "object", "properties": {"place": {"enum": ["Rome"]}}, "required": ["place"]}}}


def forced(*parts):
    """A grammar of one text, in which special tokens are tokens."""
    return "root ::= " + " ".join(f"<[{IDS[part]}]>" if part in IDS else json.dumps(part) for part in parts)


THINKS = ("<|channel|>", "analysis", "<|message|>", "Let me see.", "<|end|>", "<|start|>", "assistant")
ANSWERS = (*THINKS, "<|channel|>", "final", "<|message|>", "It is 4.", "<|return|>")


def body(grammar, **more):
    return {"messages": [{"role": "user", "content": "What is 2 + 2?"}], "max_tokens": 200, "temperature": 0,
            "grammar": grammar, **more}


def expect(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: {got}, not {wanted}")


def answers(server):
    choice = server.post(CHAT, body(forced(*ANSWERS)))["choices"][0]
    message = choice["message"]
    expect("reasoning", message["reasoning_content"], "Let me see.")
    expect("content", message["content"], "It is 4.")
    expect("finish", choice["finish_reason"], "stop")
    assert not message.get("tool_calls"), message
    only = server.post(CHAT, body(forced(*ANSWERS[len(THINKS):])))["choices"][0]["message"]
    expect("without reasoning", (only["content"], only.get("reasoning_content")), ("It is 4.", None))
    print("answers ok")


def streams(server):
    joined = {"reasoning_content": "", "content": ""}
    for event in server.stream(CHAT, body(forced(*ANSWERS))):
        for choice in event["choices"] if event else ():
            for name in joined:
                joined[name] += choice["delta"].get(name) or ""
    expect("streamed", joined, {"reasoning_content": "Let me see.", "content": "It is 4."})
    print("streams ok")


def calls(server):
    """The server's own grammar of a call, behind reasoning that a budget ends; then the answer to its result."""
    choice = server.post(CHAT, {**body(None, tools=[TOOL], tool_choice="required"), "reasoning_budget_tokens": 4})["choices"][0]
    message = choice["message"]
    expect("finish", choice["finish_reason"], "tool_calls")
    assert not message["content"], message
    call, = message["tool_calls"]
    expect("call", (call["function"]["name"], json.loads(call["function"]["arguments"])), ("weather", {"place": "Rome"}))
    turns = [*body("")["messages"], message, {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}]
    after = server.post(CHAT, {**body(forced(*ANSWERS)), "messages": turns})["choices"][0]["message"]
    expect("behind the result", (after["reasoning_content"], after["content"]), ("Let me see.", "It is 4."))
    print("calls ok")


def main(program, engine):
    with Served(program, engine) as server:
        for check in (answers, streams, calls):
            check(server)


if __name__ == "__main__":
    main(*sys.argv[1:])
