# SPDX-License-Identifier: Apache-2.0
"""What the endpoints answer, over sockets, with a tiny model on the processor.

usage: api_checks.py SERVER MODEL WRONG_FIELDS.json
"""
import concurrent.futures
import http.client
import json
import sys
import urllib.parse

from served import Served, until

HI = [{"role": "user", "content": "Say hi"}]
GREEDY = {"temperature": 0, "max_tokens": 24}
CHAT, TEXT, OWN = "/v1/chat/completions", "/v1/completions", "/completion"


def many_as_alone(server):
    """Eight at once get, byte for byte, the texts that each gets alone."""
    bodies = [{"prompt": f"The engine number {i} is " * (1 + i % 3), "cache_prompt": False, **GREEDY} for i in range(8)]
    alone = [server.post(TEXT, body)["choices"][0]["text"] for body in bodies]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            together = [answer["choices"][0]["text"] for answer in pool.map(lambda body: server.post(TEXT, body), bodies)]
            assert together == alone, (together, alone)
    assert len(set(alone)) > 4, alone


def wrong_fields(server, wrong):
    """Each field sent wrong has a 400 of its own."""
    needed = {CHAT: {"messages": HI}, TEXT: {"prompt": "a"}, OWN: {"prompt": "a"}, "/v1/embeddings": {"input": "a"},
              "/v1/rerank": {"query": "a", "documents": ["b"]}}
    for path, field, value in wrong:
        status, answer = server.ask(path, {**needed[path], field: value})
        assert status == 400 and answer["error"]["param"] == field, (path, field, value, status, answer)
        assert answer["error"]["message"].startswith(f"Field '{field}"), answer
    print(f"{len(wrong)} wrong fields")


def hostile_bodies(server):
    for body in (b"", b"{", b"[]", b'{"prompt":"\xff"}', b'{"prompt":"\\ud800"}', b'{"a":' * 100, b"[" * 10000, b'{"prompt":1e999}'):
        status, answer = server.ask(TEXT, body)
        assert status == 400 and answer["error"]["type"] == "invalid_request_error", (body, status, answer)
        assert "json.exception" not in answer["error"]["message"], answer


def chat_stream(server):
    """Role first and once, one id, no usage but in the last chunk, then [DONE]; the text of a plain answer."""
    body = {"messages": HI, "stream_options": {"include_usage": True}, **GREEDY}
    *chunks, done = server.stream(CHAT, body)
    plain = server.post(CHAT, {"messages": HI, **GREEDY})
    assert done is None
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": None}, chunks[0]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks[1:-2]]
    assert all(delta.get("content") for delta in deltas), deltas
    assert "".join(delta["content"] for delta in deltas) == plain["choices"][0]["message"]["content"]
    assert chunks[-2]["choices"][0]["finish_reason"] == "length" and chunks[-2]["choices"][0]["delta"] == {}
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"]["completion_tokens"] == 24, chunks[-1]
    assert not any("usage" in chunk for chunk in chunks[:-1])
    assert len({(chunk["id"], chunk["created"], chunk["system_fingerprint"]) for chunk in chunks}) == 1


def choices_and_seeds(server):
    """n choices draw by seed, seed + 1, ...; the answer says the seed, and it can be asked for again."""
    body = {"prompt": ["a", "b"], "n": 2, "seed": 5, "temperature": 1, "max_tokens": 12}
    answer = server.post(TEXT, body)
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2, 3]
    assert answer["seed"] == 5
    second = server.post(TEXT, {**body, "prompt": "b", "n": 1, "seed": 6})
    assert second["choices"][0]["text"] == answer["choices"][3]["text"]
    unsaid = {"messages": HI, "temperature": 1, "max_tokens": 12, "seed": -1}
    first = server.post(CHAT, unsaid)
    again = server.post(CHAT, {**unsaid, "seed": first["seed"]})
    assert first["choices"][0]["message"] == again["choices"][0]["message"]


def stop_strings(server):
    text = server.post(TEXT, {"prompt": "The work", **GREEDY})["choices"][0]["text"]
    word = text[len(text) // 2 : len(text) // 2 + 3]
    stopped = server.post(OWN, {"prompt": "The work", "stop": [word], "temperature": 0, "n_predict": 24})
    assert stopped["content"] == text[: text.index(word)], (stopped, text, word)
    assert (stopped["stop_type"], stopped["stopping_word"]) == ("word", word)


def log_probabilities(server):
    """The joined tokens are the text, and the chosen token's number is the same in both places."""
    chat = server.post(CHAT, {"messages": HI, "logprobs": True, "top_logprobs": 3, **GREEDY})["choices"][0]
    assert "".join(token["token"] for token in chat["logprobs"]["content"]) == chat["message"]["content"]
    assert all(token["logprob"] == token["top_logprobs"][0]["logprob"] and len(token["top_logprobs"]) == 3 for token in chat["logprobs"]["content"])
    legacy = server.post(TEXT, {"prompt": "The work", "logprobs": 2, **GREEDY})["choices"][0]
    tokens = legacy["logprobs"]["tokens"]
    assert legacy["logprobs"]["text_offset"] == [len("".join(tokens[:i])) for i in range(len(tokens))], legacy
    assert "".join(tokens) == legacy["text"], legacy
    own = server.post(OWN, {"prompt": "The work", "n_probs": 2, "temperature": 0, "n_predict": 3})
    assert [token["id"] for token in own["completion_probabilities"]] == [token["top_logprobs"][0]["id"] for token in own["completion_probabilities"]]


def own_form(server):
    """llama-server's form: parts with tokens, a final object with settings that can be sent back, chosen members."""
    *parts, last = server.stream(OWN, {"prompt": "A", "n_predict": 8, "return_progress": True})
    assert last["stop"] and not any(part["stop"] for part in parts)
    assert parts[0]["prompt_progress"]["processed"] == parts[0]["prompt_progress"]["cache"]
    assert last["tokens_predicted"] == 8 and last["content"] == ""
    settings = last["generation_settings"]
    text = "".join(part["content"] for part in parts)
    assert server.post(OWN, {**settings, "prompt": "A", "stream": False})["content"] == text
    some = server.post(OWN, {"prompt": "A", "n_predict": 2, "response_fields": ["content", "generation_settings/n_predict"]})
    assert sorted(some) == ["content", "generation_settings/n_predict"], some


def too_long(server):
    status, answer = server.ask(CHAT, {"messages": [{"role": "user", "content": "x " * 5000}]})
    assert status == 400 and answer["error"]["type"] == "exceed_context_size_error", answer
    assert answer["error"]["n_prompt_tokens"] > answer["error"]["n_ctx"]


def cancelled(server):
    """A client that leaves frees its slot."""
    address = urllib.parse.urlparse(server.url)
    connection = http.client.HTTPConnection(address.hostname, address.port)
    connection.request("POST", CHAT, json.dumps({"messages": HI, "stream": True, "ignore_eos": True}))
    connection.getresponse().read(10)
    connection.close()
    until(lambda: not any(slot["is_processing"] for slot in server.ask("/slots")[1]))


def poolings(program, model):
    """--pooling says which tokens an embedding is of, and that there is none."""
    vectors = {}
    for pooling in ("model", "mean", "last", "cls"):
        with Served(program, model, "--ctx-size", "4096", "--parallel", "8", "--pooling", pooling) as server:
            vectors[pooling] = server.post("/v1/embeddings", {"input": "The work of others"})["data"][0]["embedding"]
    assert vectors["model"] == vectors["mean"]
    assert len({tuple(vector) for vector in vectors.values()}) == 3, vectors
    with Served(program, model, "--ctx-size", "4096", "--parallel", "8", "--pooling", "none") as server:
        status, answer = server.ask("/v1/embeddings", {"input": "a"})
        assert status == 400 and "--pooling none" in answer["error"]["message"], answer


def lists(server):
    """Longer than slots and queue together: answers in the order of the prompts; others get their turn meanwhile."""
    prompts = [f"The list has {number} and " for number in range(60)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        several = pool.submit(server.post, TEXT, {"prompt": prompts, "temperature": 0, "max_tokens": 16, "n": 2})
        inputs = pool.submit(server.post, "/v1/embeddings", {"input": prompts})
        until(lambda: any(slot["is_processing"] for slot in server.ask("/slots")[1]))
        server.post(TEXT, {"prompt": "Meanwhile", "max_tokens": 2})
        assert not several.done(), "the list was before all others"
        choices = several.result()["choices"]
        assert [choice["index"] for choice in choices] == list(range(120))
        for number in (0, 31, 59):
            alone = server.post(TEXT, {"prompt": prompts[number], "temperature": 0, "max_tokens": 16})["choices"][0]["text"]
            assert choices[2 * number]["text"] == choices[2 * number + 1]["text"] == alone
        assert [one["index"] for one in inputs.result()["data"]] == list(range(60))


def reasoning_budgets(program, model):
    template = ("{% for m in messages %}{% if m.role == 'assistant' %}[a]{% if m.reasoning_content %}<think>\n{{ m.reasoning_content }}\n</think>\n\n"
                "{% endif %}{{ m.content }}\n{% else %}[{{ m.role }}]{{ m.content }}\n{% endif %}{% endfor %}{% if add_generation_prompt %}[a]<think>\n{% endif %}")
    body = {"messages": HI, "temperature": 0, "max_tokens": 60}
    with Served(program, model, "--ctx-size", "4096", "--parallel", "4", "--chat-template", template, "--reasoning-budget-message", " Enough.") as server:
        def message(**more):
            return server.post(CHAT, {**body, **more})["choices"][0]["message"]

        free = message()
        assert free["content"] in ("", None) and len(free["reasoning_content"]) > 60, free
        for budget in (1, 7, 20):
            found = message(reasoning_budget_tokens=budget)
            thought = found["reasoning_content"].removesuffix("Enough.").rstrip()
            assert found["reasoning_content"].endswith("Enough.") and free["reasoning_content"].startswith(thought), (found, free)
            assert found["content"] and "think>" not in found["content"], found
            assert len(server.post("/tokenize", {"content": thought})["tokens"]) <= budget + 1, found
            assert message(thinking_budget_tokens=budget) == found
            events = [event["choices"][0]["delta"] for event in server.stream(CHAT, {**body, "reasoning_budget_tokens": budget}) if event and event["choices"]]
            for part in ("reasoning_content", "content"):
                assert "".join(delta.get(part) or "" for delta in events) == found[part], (events, found)
        assert message(reasoning_budget_tokens=0)["content"]


def document(server):
    status, answer = server.ask("/openapi.json")
    assert status == 200 and answer["paths"][CHAT]["post"]["requestBody"]["required"], answer


def main(program, model, wrong):
    checks = [many_as_alone, hostile_bodies, chat_stream, choices_and_seeds, stop_strings, log_probabilities, own_form, too_long, cancelled, lists, document]
    with Served(program, model, "--ctx-size", "4096", "--parallel", "8", "--slots", "--queue", "16", "--chat-template", "chatml") as server:
        for check in checks:
            check(server)
            print(f"{check.__name__} ok", flush=True)
        with open(wrong, encoding="utf-8") as file:
            wrong_fields(server, json.load(file))
    poolings(program, model)
    print("poolings ok")
    reasoning_budgets(program, model)
    print("reasoning_budgets ok")


if __name__ == "__main__":
    main(*sys.argv[1:])
