# SPDX-License-Identifier: Apache-2.0
"""Asks a llcuda-serve that runs the toy engine: serve.py GROUP ENGINE [FOLDER]."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time


class Server:
    def __init__(self, engine, *flags, program="llcuda-serve", wait=True, port=0, environment=None):
        command = [program, engine, "--device", "host", "--port", str(port), *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        self.port = port
        if wait:
            self.line = self.process.stdout.readline()
            assert " at http://" in self.line, (self.line, self.process.stderr.read())
            self.port = int(self.line.split("http://127.0.0.1:")[1].split(",")[0].split()[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def ask(self, method, path, body=None, **headers):
        """(status, headers, body as JSON where it is that)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        text = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        connection.request(method, path, text, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        with contextlib.suppress(ValueError):
            content = json.loads(content)
        return answer.status, answer.headers, content

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, body, **headers):
        return self.ask("POST", path, body, **headers)


def expect(what, got, wanted):
    assert got == wanted, f"{what}: {got}, not {wanted}"


def until(what, holds, seconds=20):
    """Waits for what other threads or processes do."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.01)


def error_of(what, answer, status, kind, word=""):
    got, _, body = answer
    expect(what, (got, body["error"]["code"], body["error"]["type"]), (status, status, kind))
    assert word in body["error"]["message"], body


def facts(engine):
    name = pathlib.Path(engine).name
    with Server(engine, "-np", "1") as server:
        expect("health", server.get("/health")[2], {"status": "ok"})
        expect("the same", server.get("/v1/health")[0], 200)
        models = server.get("/v1/models")[2]
        expect("models", (models["object"], len(models["data"]), models["data"][0]["id"]), ("list", 1, name))
        meta = models["data"][0]["meta"]
        assert meta["n_vocab"] > 0 and meta["n_ctx"] > 0 and meta["vocab_type"] == 2, meta
        expect("without v1", server.get("/models")[2], models)
        expect("by name", server.get(f"/v1/models/{name}")[2]["id"], name)
        error_of("by another", server.get("/v1/models/other/name"), 404, "not_found_error", "other/name")
        props = server.get("/props")[2]
        expect("props", (props["total_slots"], props["model_path"], props["endpoint_metrics"]), (1, name, False))
        expect("its context", props["default_generation_settings"]["n_ctx"], meta["n_ctx"])
        expect("its template", "messages" in props["chat_template"], True)
        slots = server.get("/slots")[2]
        expect("slots", [(slot["id"], slot["is_processing"]) for slot in slots], [(0, False)])
        expect("idle", slots[0]["next_token"][0]["n_remain"], -1)
        error_of("metrics", server.get("/metrics"), 501, "not_supported_error", "--metrics")
        status, headers, page = server.get("/")
        assert status == 200 and "text/html" in headers["content-type"] and b"<!doctype html>" in page.lower(), page[:100]
        error_of("unknown", server.get("/nothing"), 404, "not_found_error")
        status, headers, body = server.get("/tokenize")
        expect("method", (status, headers["allow"], body["error"]["code"]), (405, "POST, OPTIONS", 405))
    with Server(engine, "-np", "1", "--alias", "z,b/c", "--tags", "small", "--no-slots", "--no-ui", "--temp", "0.25", "--seed", "7", "-c", "9") as server:
        model = server.get("/models")[2]["data"][0]
        expect("aliases", (model["id"], model["aliases"], model["tags"]), ("b/c", ["b/c", "z"], ["small"]))
        expect("a name with a slash", server.get("/v1/models/b/c")[0], 200)
        error_of("page", server.get("/"), 404, "not_found_error")
        error_of("slots", server.get("/slots"), 501, "not_supported_error", "--slots")
        settings = server.get("/props")[2]["default_generation_settings"]
        expect("defaults", (settings["params"]["temperature"], settings["params"]["seed"], settings["n_ctx"]), (0.25, 7, 9))


def tokens(engine):
    with Server(engine) as server:
        plain = server.post("/tokenize", {"content": "abc"})[2]["tokens"]
        expect("three letters", len(plain), 3)
        special = server.post("/tokenize", {"content": "abc", "add_special": True})[2]["tokens"]
        expect("the first token in front", special[1:], plain)
        pieces = server.post("/tokenize", {"content": "a\u00e9", "with_pieces": True})[2]["tokens"]
        expect("pieces", [piece["piece"] for piece in pieces], ["a", [0xC3], [0xA9]])
        vllm = server.post("/tokenize", {"prompt": "abc", "model": "x"})[2]
        expect("vLLM's form", (vllm["tokens"], vllm["count"]), (special, 4))
        expect("and without", server.post("/tokenize", {"prompt": "abc", "add_special_tokens": False})[2]["tokens"], plain)
        back = server.post("/detokenize", {"tokens": plain})[2]
        expect("back", (back["content"], back["prompt"]), ("abc", "abc"))
        info = server.get("/tokenizer_info")[2]
        expect("info", (info["bos_token"], "messages" in info["chat_template"]), ("<|start|>", True))
        bad = "invalid_request_error"
        error_of("no text", server.post("/tokenize", {}), 400, bad, "content")
        error_of("no string", server.post("/tokenize", {"content": 1}), 400, bad, "content")
        error_of("no switch", server.post("/tokenize", {"content": "a", "with_pieces": 1}), 400, bad, "with_pieces")
        for wrong in (None, "a", [-1], [1.5], ["a"], [10**9], [10**30], [[1]]):
            error_of(f"tokens {wrong}", server.post("/detokenize", {"tokens": wrong}), 400, bad, "tokens")


def metrics(engine):
    with Server(engine, "--metrics") as server:
        status, headers, answer = server.post("/completion", {"prompt": "abc", "n_predict": 4, "temperature": 0})
        expect("completion", status, 200)
        assert headers["x-llcuda-queue-ms"].isdigit(), headers
        predicted = answer["timings"]["predicted_n"]
        assert predicted > 0, answer
        # The answer is counted once it was sent: the client may be faster.
        until("the count", lambda: b'requests_total{status="200"} 1' in server.get("/metrics")[2])
        status, headers, body = server.get("/metrics")
        assert status == 200 and headers["process-start-time-unix"].isdigit() and "text/plain" in headers["content-type"]
        values = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#"))
        names = {line.split()[2] for line in body.decode().splitlines() if line.startswith("# TYPE")}
        for name in values:
            family = name.split("{")[0]
            assert family in names or family.rsplit("_", 1)[0] in names, name
        for prefix in ("llamacpp:", "llcuda:"):
            expect("predicted", float(values[prefix + "tokens_predicted_total"]), predicted)
            expect("processing", float(values[prefix + "requests_processing"]), 0)
            assert float(values[prefix + "n_decode_total"]) > 0
        for name in ("held_rows_total", "mask_seconds_total", "host_stall_seconds_total", "nan_rows_total"):
            expect(name, float(values["llcuda:" + name]), 0)
        expect("first tokens", values["llcuda:time_to_first_token_seconds_count"], "1")
        expect("the last bucket", values['llcuda:e2e_request_latency_seconds_bucket{le="+Inf"}'], "1")
        assert float(values['llcuda:requests_total{status="200"}']) >= 1


def keys(engine):
    folder = pathlib.Path(engine + ".keys")
    folder.write_text("# mine\nfrom-file\n\n", encoding="utf-8")
    environment = {**os.environ, "LLCUDA_API_KEY_FILE": str(folder)}
    with Server(engine, "--api-key", "one,two", "--log-json", environment=environment) as server:
        for path in ("/", "/health", "/v1/models", "/models"):
            expect(path, server.get(path)[0], 200)
        error_of("none", server.get("/props"), 401, "authentication_error")
        error_of("none, unknown path", server.get("/nothing"), 401, "authentication_error")
        for key in ("one", "two", "from-file"):
            expect(key, server.get("/props", Authorization=f"Bearer {key}")[0], 200)
        expect("the other header", server.get("/props", **{"X-Api-Key": "two"})[0], 200)
        server.get("/props", Authorization="Bearer two", **{"X-Request-Id": "mine"})
        server.process.send_signal(signal.SIGTERM)
        _, log = server.process.communicate(timeout=20)
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    line = next(line for line in lines if line["request_id"] == "mine")
    expect("the log", (line["key"], line["path"], line["status"]), ("key-2", "/props", 200))
    assert "two" not in log.replace("key-2", ""), log


def template(engine):
    messages = [{"role": "user", "content": "hi"}]
    with Server(engine) as server:
        expect("the model's", server.post("/apply-template", {"messages": messages})[2]["prompt"], "<|start|><|turn|>u hi<|turn|>")
        error_of("no messages", server.post("/apply-template", {}), 400, "invalid_request_error", "messages")
    jinja = "{% for m in messages %}[{{ m.content }}]{% endfor %}{{ enable_thinking }}{{ word }}{% if add_generation_prompt %}>{% endif %}"
    flags = ("--chat-template", jinja, "--reasoning", "off", "--chat-template-kwargs", '{"word": "w"}')
    with Server(engine, *flags) as server:
        got = server.post("/apply-template", {"messages": messages, "add_generation_prompt": True})[2]["prompt"]
        assert got.lower() == "[hi]falsew>", got
    turns = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    for name, wanted in (
        ("chatml", "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nu<|im_end|>\n<|im_start|>assistant\n"),
        ("llama3", "<|start_header_id|>system<|end_header_id|>\n\ns<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nu<|eot_id|>"
                   "<|start_header_id|>assistant<|end_header_id|>\n\n"),
        ("gemma", "<start_of_turn>user\ns\n\nu<end_of_turn>\n<start_of_turn>model\n"),
        ("phi3", "<|system|>\ns<|end|>\n<|user|>\nu<|end|>\n<|assistant|>\n"),
        ("command-r", "<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>s<|END_OF_TURN_TOKEN|><|START_OF_TURN_TOKEN|><|USER_TOKEN|>u<|END_OF_TURN_TOKEN|>"
                      "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>"),
    ):
        with Server(engine, "--chat-template", name) as server:
            expect(name, server.post("/apply-template", {"messages": turns})[2]["prompt"], wanted)
    broken = subprocess.run(["llcuda-serve", engine, "--device", "host", "--port", "0", "--chat-template", "{% for %}"],
                            capture_output=True, text=True, check=False)
    assert broken.returncode == 1 and "chat template" in broken.stderr, broken


def hostile(engine):
    """Each is its sender's trouble alone: another client is answered all the time."""
    with Server(engine, "--max-body", "1MiB", "--header-timeout", "2", "--body-timeout", "2") as server:
        stop, slowest = threading.Event(), [0.0]

        def watch():
            while not stop.is_set():
                begun = time.time()
                expect("health", server.get("/health")[0], 200)
                slowest[0] = max(slowest[0], time.time() - begun)
                time.sleep(0.02)

        watcher = threading.Thread(target=watch)
        watcher.start()
        bad = "invalid_request_error"
        for path in ("/tokenize", "/detokenize", "/apply-template", "/completion", "/v1/chat/completions", "/v1/completions", "/v1/embeddings"):
            for what, body in (("nothing", ""), ("no JSON", "{"), ("no object", "[1]"), ("no UTF-8", b'{"a": "\xff"}'),
                               ("half a pair", '{"a": "\\ud800"}'), ("deep", "[" * 10000), ("deep names", '{"a":' * 10000),
                               ("many", '{"a": [' + "1," * 200000 + "1]}"), ("a number that no float holds", '{"a": 1e999}')):
                error_of(f"{path} {what}", server.post(path, body), 400, bad)
        expect("too long", server.post("/tokenize", b"x" * (1 << 20) + b"x")[0], 413)
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(b"POST /tokenize HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\nq\r\n")
            assert b" 400 " in client.recv(100)
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(b"POST /tokenize HTTP/1.1\r\n")
            assert b" 408 " in client.recv(100)
        stop.set()
        watcher.join()
        print(f"/health took {slowest[0] * 1000:.1f} ms at most")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def loading(engine, folder):
    """A model is compiled first, by the llcuda-compile beside the program: here a script that waits for a word."""
    folder = pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "bin").mkdir(parents=True)
    os.link(shutil.which("llcuda-serve"), folder / "bin/llcuda-serve")
    compiler = folder / "bin/llcuda-compile"
    compiler.write_text(f'#!/bin/sh\necho compiling "$@"\necho $$ > {folder}/pid\nwhile [ ! -e {folder}/go ]; do sleep 0.05; done\ncp {engine} "$3"\n', encoding="utf-8")
    compiler.chmod(0o755)
    model = folder / "model.gguf"
    model.write_bytes(b"GGUF\3\0\0\0")

    def has_pid():
        return (folder / "pid").exists() and (folder / "pid").read_text().endswith("\n")

    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "LD_LIBRARY_PATH": str(pathlib.Path(shutil.which("llcuda-serve")).parent.parent / "lib")}
    program = str(folder / "bin/llcuda-serve")
    with Server(str(model), program=program, wait=False, port=free_port(), environment=environment) as server:
        until("the compiler", has_pid)
        for path in ("/health", "/v1/models", "/props"):
            error_of(path, server.get(path), 503, "unavailable_error", "Loading model")
        error_of("chat", server.post("/v1/chat/completions", {}), 503, "unavailable_error", "Loading model")
        (folder / "go").touch()
        assert " at http://" in server.process.stdout.readline()
        expect("health", server.get("/health")[0], 200)
        expect("its name", server.get("/v1/models")[2]["data"][0]["id"], "model.gguf")
    (folder / "go").unlink()
    (folder / "pid").unlink()
    shutil.rmtree(folder / "cache")
    with Server(str(model), program=program, wait=False, port=free_port(), environment=environment) as server:
        until("the compiler", has_pid)
        pid = int((folder / "pid").read_text())
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) != 0
        until("the compiler's end", lambda: not runs(pid))


def stopping(engine):
    with Server(engine, "--drain-seconds", "20") as server:
        answers = []
        thread = threading.Thread(target=lambda: answers.append(server.post("/completion", {"prompt": "abc", "n_predict": 20, "temperature": 0})))
        thread.start()
        while not any(slot["is_processing"] for slot in server.get("/slots")[2]) and thread.is_alive():
            time.sleep(0.005)
        server.process.send_signal(signal.SIGTERM)
        thread.join(30)
        expect("what runs ends", (answers[0][0], answers[0][2]["stop"]), (200, True))
        expect("exit", server.process.wait(20), 0)


if __name__ == "__main__":
    group, *rest = sys.argv[1:]
    globals()[group](*rest)
