# SPDX-License-Identifier: Apache-2.0
"""deploy/ray behind a real Ray Serve, two replicas on hostsim: ray_serve.py LLCUDA_SERVE MODEL
with deploy/ray in PYTHONPATH, where the processes of Ray look too.

Sessions stay where they are and find what they said before, streams come piece by piece, errors come as they are, a
client that leaves is noticed, and when a llcuda-serve dies its sessions are answered by the other one until it is back.
"""

import collections
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import llcuda_ray
import ray
from ray import serve

PORT = 18431
REPLICAS = 2


def open_(path, body=None, headers=None, method=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{PORT}{path}", data, {"Content-Type": "application/json", **(headers or {})}, method=method
    )
    return urllib.request.urlopen(request, timeout=120)


def ask(path, body=None, headers=None):
    """(status, replica, JSON)"""
    try:
        with open_(path, body, headers) as answer:
            return answer.status, answer.headers["x-llcuda-replica"], json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.headers["x-llcuda-replica"], json.load(error)


def until(what, holds, seconds=60):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def servers():
    """The processes of llcuda-serve below this one."""
    text = subprocess.run(["ps", "-eo", "pid,args"], check=True, capture_output=True, text=True).stdout
    return [
        int(pid) for pid, line in re.findall(r"^ *(\d+) (.*)$", text, re.M) if line.startswith(f"{PROGRAM} {MODEL} ")
    ]


def turns(session, count=3):
    """A conversation: who answered each turn, and how much of the last prompt was known."""
    messages, answered, cached = [], [], 0
    for turn in range(count):
        messages.append(
            {"role": "user", "content": f"{session} says this for the {turn}. time, and asks for more of it"}
        )
        status, replica, answer = ask(
            "/v1/chat/completions", {"messages": messages, "max_tokens": 24, "temperature": 0, "ignore_eos": True}
        )
        assert status == 200, answer
        answered.append(replica)
        cached = answer["usage"]["prompt_tokens_details"]["cached_tokens"]
        messages.append({"role": "assistant", "content": answer["choices"][0]["message"]["content"] or " "})
    return answered, cached


def sessions_stay():
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        told = list(pool.map(turns, [f"person {i}" for i in range(12)]))
    for answered, cached in told:
        assert len(set(answered)) == 1, answered
        assert cached > 0
    used = collections.Counter(answered[0] for answered, _ in told)
    assert set(used) == {str(i) for i in range(REPLICAS)}, used
    for name in ("a", "b", "c", "d"):  # a name counts before what is said
        by_field = {ask("/v1/completions", {"prompt": str(i), "max_tokens": 1, "user": name})[1] for i in range(3)}
        by_header = {
            ask("/v1/completions", {"prompt": str(i), "max_tokens": 1}, {"X-Session-Id": name})[1] for i in range(3)
        }
        assert by_field == by_header and len(by_field) == 1, (by_field, by_header)
    return used


def streams_come_piece_by_piece():
    body = {"prompt": "once", "max_tokens": 40, "ignore_eos": True, "stream": True, "temperature": 0}
    with open_("/v1/completions", body) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        events = [line for line in answer if line.startswith(b"data: ")]
    assert events[-1].strip() == b"data: [DONE]" and len(events) > 20, len(events)
    text = "".join(
        json.loads(line[6:])["choices"][0]["text"] for line in events[:-1] if json.loads(line[6:])["choices"]
    )
    whole = ask("/v1/completions", {**body, "stream": False})[2]["choices"][0]["text"]
    assert text == whole, (text, whole)


def errors_come_as_they_are():
    status, _, answer = ask("/v1/completions", {"prompt": "a", "temperature": "hot"})
    assert status == 400 and answer["error"]["param"] == "temperature", answer
    assert ask("/nowhere")[0] == 404
    status, _, models = ask("/v1/models")
    assert status == 200 and len(models["data"]) == 1


def clients_leave():
    """A stream that nobody reads any more ends on its server, long before its last token."""
    headers = {"X-Session-Id": "leaving"}

    def predicted():
        with open_("/metrics", None, headers) as answer:
            return int(re.search(rb"^llamacpp:tokens_predicted_total (\d+)", answer.read(), re.M)[1])

    def is_busy():
        return any(slot["is_processing"] for slot in ask("/slots", None, headers)[2])

    before = predicted()
    body = {"prompt": "for ever", "max_tokens": 1000, "ignore_eos": True, "stream": True}
    answer = open_("/v1/completions", body, headers)
    answer.readline()
    assert is_busy()
    answer.close()
    until("the request goes on", lambda: not is_busy())
    assert predicted() - before < 900, predicted() - before


def servers_die():
    before = {
        name: ask("/v1/completions", {"prompt": "x", "max_tokens": 1, "user": name})[1] for name in map(str, range(8))
    }
    pids = servers()
    assert len(pids) == REPLICAS, pids
    os.kill(pids[0], signal.SIGKILL)
    until("it is dead", lambda: len(servers()) != REPLICAS or pids[0] not in servers())
    for name in before:  # nobody waits for the new one
        status, _, answer = ask("/v1/completions", {"prompt": "x", "max_tokens": 1, "user": name})
        assert status == 200, answer
    until("it is back", lambda: len(servers()) == REPLICAS, 120)
    until(
        "sessions are where they were",
        lambda: all(
            ask("/v1/completions", {"prompt": "x", "max_tokens": 1, "user": n})[1] == r for n, r in before.items()
        ),
        120,
    )


def main():
    arguments = llcuda_ray.Arguments(
        model=MODEL, replicas=REPLICAS, gpus=0, cpus=0.1, program=PROGRAM, flags="--device host --metrics -np 4"
    )
    ray.init(num_cpus=4, num_gpus=0, include_dashboard=False, logging_level="error", log_to_driver=False)
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": PORT})
        serve.run(llcuda_ray.application(arguments), name="llcuda")
        used = sessions_stay()
        streams_come_piece_by_piece()
        errors_come_as_they_are()
        clients_leave()
        servers_die()
        print(f"12 sessions on {REPLICAS} replicas, {used['0']} and {used['1']}: ok")
    finally:
        serve.shutdown()
        ray.shutdown()
    until("a llcuda-serve is left", lambda: not servers())


if __name__ == "__main__":
    PROGRAM, MODEL = sys.argv[1:]
    main()
