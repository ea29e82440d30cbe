# SPDX-License-Identifier: Apache-2.0
"""batch.py make IN COUNT: writes requests. batch.py check IN OUT COMMAND ENGINE: every one has its answer, once.
batch.py kill IN OUT TIMES COMMAND ENGINE: the command with kill -9 at moments between 0 and its end, then to its
end."""
import base64
import json
import random
import signal
import struct
import subprocess
import sys
import time

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,!?"


def make(path, count):
    source = random.Random(4)
    lines = []
    for i in range(count):
        text = "".join(source.choice(LETTERS) for _ in range(source.randint(1, 9)))
        body = {"model": "toy", "max_tokens": source.randint(1, 12)}
        chat = i % 3 == 0
        body |= {"messages": [{"role": "user", "content": text}]} if chat else {"prompt": text}
        if i % 5 == 0:
            body["stop"] = ["Q", "a"]
        lines.append({"custom_id": f"request {i}", "method": "POST",
                      "url": "/v1/chat/completions" if chat else "/v1/completions", "body": body})
    told = {"prompt": "abcab", "max_tokens": 4, "logprobs": 2}
    lines.append({"custom_id": "told", "url": "/v1/completions", "body": told})
    lines.append({"custom_id": "echo", "url": "/v1/completions", "body": told | {"echo": True}})
    lines.append({"custom_id": "scored", "url": "/v1/completions", "body": told | {"echo": True, "max_tokens": 0}})
    lines.append({"custom_id": "chat told", "url": "/v1/chat/completions",
                  "body": {"messages": [{"role": "user", "content": "ab"}], "max_tokens": 4, "logprobs": True, "top_logprobs": 3}})
    for name, format in (("numbers", "float"), ("base64", "base64")):
        lines.append({"custom_id": name, "url": "/v1/embeddings", "body": {"input": "abcab", "encoding_format": format}})
    lines.append({"custom_id": "top", "url": "/v1/chat/completions",
                  "body": {"messages": [{"role": "user", "content": "ab"}], "top_logprobs": 3}})
    lines.append({"custom_id": "tools", "url": "/v1/completions", "body": {"prompt": "a", "tools": [{}]}})
    lines.append({"custom_id": "long", "url": "/v1/completions", "body": {"prompt": "a" * 60}})
    lines.append({"custom_id": "url", "url": "/v1/images", "body": {}})
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(json.dumps(line) for line in lines))  # the last one without a newline


def command(arguments, source, out):
    return [*arguments, "--device", "host", "--batch", source, "-o", out, "--temp", "0"]


def check(source, out, *arguments):
    requests = [json.loads(line) for line in open(source, encoding="utf-8")]
    text = open(out, encoding="utf-8").read()
    assert text.endswith("\n")
    answers = {}
    for line in text.splitlines():
        answer = json.loads(line)
        assert answer["custom_id"] not in answers, f"{answer['custom_id']} twice"
        answers[answer["custom_id"]] = answer["response"]
    assert set(answers) == {request["custom_id"] for request in requests}
    for name, field, words in (("tools", "tools", "is not supported"), ("long", None, "exceeds the available context size"),
                               ("url", None, "/v1/completions"), ("top", "top_logprobs", "needs logprobs")):
        error = answers.pop(name)
        assert error["status_code"] == 400 and error["body"]["error"]["param"] == field, error
        assert words in error["body"]["error"]["message"], error
    log_probabilities({name: answers[name]["body"] for name in ("told", "echo", "scored", "chat told")})
    embeddings({name: answers[name]["body"] for name in ("numbers", "base64")})
    for request in requests[:6]:
        body = answers[request["custom_id"]]["body"]
        chat = "messages" in request["body"]
        prompt = ["--chat", "-p", request["body"]["messages"][0]["content"]] if chat else ["-p", request["body"]["prompt"]]
        alone = json.loads(subprocess.run([*arguments, "--device", "host", "--temp", "0", "--json", "-n",
                                           str(request["body"]["max_tokens"]), *prompt],
                                          check=True, capture_output=True, text=True).stdout)
        want, stopped = alone["text"], alone["stop"] == "stop_token"
        for stop in request["body"].get("stop", []):
            if stop in want:
                want, stopped = want[: want.index(stop)], True
        choice = body["choices"][0]
        assert (choice["message"]["content"] if chat else choice["text"]) == want, (request, choice, alone)
        assert choice["finish_reason"] == ("stop" if stopped else "length"), (choice, alone)
        assert body["usage"]["prompt_tokens"] == len(alone["prompt_tokens"])
        assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] + body["usage"]["completion_tokens"]
        assert 0 <= body["usage"]["prompt_tokens_details"]["cached_tokens"] < body["usage"]["prompt_tokens"]


def log_probabilities(bodies):
    told, echo, scored = (bodies[name]["choices"][0]["logprobs"] for name in ("told", "echo", "scored"))
    count = bodies["echo"]["usage"]["prompt_tokens"]
    assert bodies["echo"]["choices"][0]["text"].endswith("abcab" + bodies["told"]["choices"][0]["text"])
    assert len(told["tokens"]) == 4 and len(scored["tokens"]) == count and len(echo["tokens"]) == count + 4
    for name in ("tokens", "token_logprobs", "top_logprobs"):
        assert echo[name] == scored[name] + told[name], (name, echo, scored, told)
    assert echo["token_logprobs"][0] is None and echo["top_logprobs"][0] is None
    assert all(number < 0 for number in echo["token_logprobs"][1:])
    assert all(len(top) == 2 for top in echo["top_logprobs"][1:]), echo["top_logprobs"]
    assert bodies["scored"]["choices"][0]["text"].endswith("abcab") and bodies["scored"]["usage"]["completion_tokens"] == 0
    chat = bodies["chat told"]["choices"][0]["logprobs"]["content"]
    assert chat and all(len(token["top_logprobs"]) == 3 for token in chat)
    for token in chat:  # greedy: what came was the likeliest
        assert token["top_logprobs"][0]["id"] == token["id"] and token["top_logprobs"][0]["logprob"] == token["logprob"]


def embeddings(bodies):
    numbers = bodies["numbers"]["data"][0]["embedding"]
    bytes_of = base64.b64decode(bodies["base64"]["data"][0]["embedding"])
    assert list(struct.unpack(f"<{len(numbers)}f", bytes_of)) == numbers
    assert abs(sum(number * number for number in numbers) - 1) < 1e-5
    assert bodies["numbers"]["usage"] == {"prompt_tokens": bodies["base64"]["usage"]["prompt_tokens"]} | {
        "total_tokens": bodies["base64"]["usage"]["prompt_tokens"]}


def kill(source, out, times, *arguments):
    begun = time.monotonic()
    subprocess.run(command(arguments, source, out + ".whole"), check=True, capture_output=True)
    took = time.monotonic() - begun
    killed = 0
    for i in range(int(times)):
        process = subprocess.Popen(command(arguments, source, out), stderr=subprocess.DEVNULL)
        try:
            process.wait(took * (i + 1) / (int(times) + 1))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
    with open(out, "a", encoding="utf-8") as file:  # as if the last write had been cut
        file.write('{"id":"batch_req_1","custom_id":"requ')
    subprocess.run(command(arguments, source, out), check=True, capture_output=True)
    assert killed > 0


if sys.argv[1] == "make":
    make(sys.argv[2], int(sys.argv[3]))
else:
    {"check": check, "kill": kill}[sys.argv[1]](*sys.argv[2:])
