# SPDX-License-Identifier: Apache-2.0
"""Talks to http-test-server over plain sockets: border.py GROUP [numbers]."""
import contextlib
import json
import os
import random
import select
import selectors
import signal
import socket
import subprocess
import sys
import time

HOST = "127.0.0.1"


class Server:
    def __init__(self, *options):
        self.process = subprocess.Popen(["http-test-server", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addresses = []
        while (line := self.process.stdout.readline().strip()) != "ready":
            assert line, self.process.stderr.read()
            self.addresses.append(line)
        self.port = int(self.addresses[0].rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def connect(self, timeout=10):
        client = socket.create_connection((HOST, self.port), timeout=timeout)
        return client

    def ask(self, text, timeout=10):
        """Sends bytes and reads to the end of one answer: (status, headers, body)."""
        with self.connect(timeout) as client:
            client.sendall(text)
            return answer(client)

    def get(self, path, headers=""):
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: a\r\n{headers}\r\n".encode())

    def counts(self):
        return json.loads(self.get("/counts")[2])

    def resident(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def head(file):
    status = int(file.readline().split()[1])
    headers = {}
    while (line := file.readline().strip()):
        name, value = line.decode().split(":", 1)
        headers[name.lower()] = value.strip()
    return status, headers


def answer(client, has_body=True):
    with client.makefile("rb") as file:
        status, headers = head(file)
        body = file.read(int(headers["content-length"])) if has_body and "content-length" in headers else b""
        return status, headers, body


def post(path, body, headers=""):
    return f"POST {path} HTTP/1.1\r\nHost: a\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode() + body


def expect(what, got, wanted):
    assert got == wanted, f"{what}: {got}, not {wanted}"


def eventually(what, condition, seconds=20):
    end = time.time() + seconds
    while not condition():
        assert time.time() < end, what
        time.sleep(0.02)


def requests():
    with Server("body=100000") as server:
        expect("health", server.get("/health")[0], 200)
        status, headers, body = server.ask(post("/echo", b"abc", "x-request-id: mine\r\n"))
        expect("echo", (status, body, headers["x-request-id"]), (200, b"abc", "mine"))
        expect("an id of ours", len(server.get("/health")[1]["x-request-id"]), 32)
        status, _, body = server.get("/nowhere")
        expect("unknown", (status, json.loads(body)["error"]["code"]), (404, 404))
        status, headers, _ = server.get("/echo")
        expect("method", (status, headers["allow"]), (405, "POST, OPTIONS"))
        status, headers, _ = server.ask(b"OPTIONS /stream HTTP/1.1\r\nHost: a\r\n\r\n")
        expect("options", (status, headers["allow"]), (200, "GET, HEAD, OPTIONS"))
        with server.connect() as client:
            client.sendall(b"HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n")
            status, headers, _ = answer(client, has_body=False)
            expect("head", (status, headers["content-length"]), (200, "2"))
        expect("rest", server.get("/models/org/name%20x")[2], b"org/name x")
        expect("prefix alone", server.get("/models/")[0], 404)
        expect("a path that is no UTF-8", server.get("/%ff%fe")[0], 400)
        expect("a body that is announced too long", server.ask(post("/echo", b"x" * 100001))[0], 413)
        chunk = b"186a1\r\n" + b"x" * 100001 + b"\r\n0\r\n\r\n"
        chunked = b"POST /echo HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n"
        expect("a body that becomes too long", server.ask(chunked + chunk)[0], 413)
        expect("chunks", server.ask(chunked + b"3\r\nabc\r\n0\r\n\r\n")[2], b"abc")
        expect("chunks that are none", server.ask(chunked + b"zz\r\nabc\r\n0\r\n\r\n")[0], 400)
        expect("a length that is none", server.ask(b"POST /echo HTTP/1.1\r\nHost: a\r\ncontent-length: x\r\n\r\n")[0], 400)
        expect("two lengths", server.ask(b"POST /echo HTTP/1.1\r\nHost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab")[0], 400)
        expect("no HTTP", server.ask(b"\x16\x03\x01\x02\x00\x01\r\n\r\n")[0], 400)
        expect("long header", server.get("/health", "x: " + "y" * 70000 + "\r\n")[0], 431)
        expect("many headers", server.get("/health", "".join(f"x{i}: y\r\n" for i in range(101)))[0], 431)
        expect("a reply that is dropped", server.get("/drop")[0], 500)
        expect("a handler that throws", server.get("/throw")[0], 500)
        with server.connect() as client:  # one connection, many requests
            for i in range(20):
                client.sendall(post("/echo", str(i).encode()))
                expect("keep-alive", answer(client)[2], str(i).encode())
        expect("afterwards", server.get("/health")[0], 200)


def keys():
    with Server("key=first-secret", "key=second-secret") as server:
        expect("health without", server.get("/health")[0], 200)
        for headers in ("", "Authorization: Bearer first-secre\r\n", "Authorization: Bearer first-secret2\r\n", "Authorization: first-secret\r\n",
                        "Authorization: Bearer \r\n", "X-Api-Key: no\r\n"):
            status, got, _ = server.ask(post("/echo", b"", headers))
            expect(f"with {headers!r}", (status, got["www-authenticate"]), (401, "Bearer"))
        for headers, name in (("Authorization: Bearer first-secret\r\n", "key-1"), ("authorization: bearer second-secret\r\n", "key-2"),
                              ("X-Api-Key: second-secret\r\n", "key-2")):
            status, got, _ = server.ask(post("/echo", b"", headers))
            expect(f"with {headers!r}", (status, got["x-key-name"]), (200, name))
        expect("paths are no secret of those without a key", server.get("/nowhere")[0], 401)
        # Refused before its body is read: the body never comes.
        expect("unread body", server.ask(b"POST /echo HTTP/1.1\r\nHost: a\r\ncontent-length: 1000\r\n\r\n")[0], 401)


def cors():
    def allowed(server, origin):
        return server.get("/health", f"Origin: {origin}\r\n")[1].get("access-control-allow-origin")

    with Server() as server:
        expect("off", allowed(server, "http://localhost"), None)
    with Server("cors=localhost", "cors=https://chat.example") as server:
        for origin in ("http://localhost", "http://127.0.0.1:3000", "http://[::1]:1", "https://chat.example"):
            expect("allowed", allowed(server, origin), origin)
        for origin in ("http://localhost.evil", "http://localhost:x", "https://chat.example.evil", "null"):
            expect(origin, allowed(server, origin), None)
        status, headers, _ = server.ask(b"OPTIONS /echo HTTP/1.1\r\nHost: a\r\nOrigin: http://localhost\r\nAccess-Control-Request-Method: POST\r\n\r\n")
        expect("preflight", (status, headers["access-control-allow-methods"]), (200, "GET, POST, DELETE, OPTIONS"))
    with Server("cors=*", "key=k") as server:
        status, headers, _ = server.ask(post("/echo", b"", "Origin: http://a\r\n"))
        expect("a refusal can be read too", (status, headers["access-control-allow-origin"]), (401, "http://a"))


def times():
    with Server("header_time=3", "body_time=1", "connections=20") as server:
        slow = [server.connect() for _ in range(10)]
        for client in slow:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nx: ")
        silent = [server.connect() for _ in range(9)]
        silent[0].sendall(b"PRI * HTTP/2.0\r\n")  # what HTTP/2 begins with, and no more
        expect("another", server.get("/health")[0], 200)
        expect("those cut off before it", select.select(slow + silent, [], [], 0)[0], [])
        for client in slow:
            expect("a head that does not end", answer(client)[0], 408)
        for client in silent:
            expect("silence", client.recv(1), b"")
        with server.connect() as client:
            client.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\ncontent-length: 5\r\n\r\nab")
            expect("a body that does not end", answer(client)[0], 408)
        with server.connect() as client:  # idle between requests is no slow head
            client.sendall(post("/echo", b"1"))
            answer(client)
            time.sleep(3.5)
            client.sendall(post("/echo", b"2"))
            expect("idle", answer(client)[2], b"2")
        with contextlib.ExitStack() as stack:  # all places taken: the next client waits, and gets one
            crowd = [stack.enter_context(server.connect()) for _ in range(20)]
            expect("when places are free again", server.get("/health")[0], 200)
            expect("crowd", crowd[0].recv(1), b"")


def read_stream(client):
    with client.makefile("rb") as file:
        status, headers = head(file)
        data = b""
        while (size := int(file.readline(), 16)):
            data += file.read(size)
            file.readline()
        return status, headers, data


def streams():
    with Server("stall_time=5") as server:
        with server.connect() as client:
            client.sendall(b"GET /stream?count=50&bytes=20 HTTP/1.1\r\nHost: a\r\n\r\n")
            status, headers, data = read_stream(client)
            expect("stream", (status, headers["content-type"], headers["cache-control"]), (200, "text/event-stream", "no-cache"))
            expect("its text", data, (b"data: " + b"x" * 20 + b"\n\n") * 50)
        with server.connect() as client:
            client.sendall(b"GET /break HTTP/1.1\r\nHost: a\r\n\r\n")
            got = b""
            while (piece := client.recv(1000)):
                got += piece
            assert not got.endswith(b"0\r\n\r\n"), f"a stream that was broken off has an end: {got}"
        # A reader that stops holds its stream; one that goes on gets all of it.
        with server.connect() as client:
            client.sendall(b"GET /stream?count=600&bytes=20000 HTTP/1.1\r\nHost: a\r\n\r\n")
            time.sleep(1.5)
            _, _, data = read_stream(client)
            expect("all of it", data.count(b"data: "), 600)
        assert server.counts()["drained"] >= 1, server.counts()
        closed = server.counts()["closed"]
        with server.connect() as client:
            client.sendall(b"GET /stream?count=100000&bytes=20000 HTTP/1.1\r\nHost: a\r\n\r\n")
            eventually("a reader that never goes on is cut", lambda: server.counts()["closed"] > closed, seconds=30)


def silence():
    """A stream that has nothing to say sends a comment now and then. Takes half a minute."""
    with Server() as server, server.connect(timeout=20) as client:
        client.sendall(b"GET /silent HTTP/1.1\r\nHost: a\r\n\r\n")
        with client.makefile("rb") as file:
            expect("status", head(file)[0], 200)
            for _ in range(2):
                begun = time.time()
                expect("comment", (file.readline(), file.readline(), file.readline(), file.readline()), (b"8\r\n", b": ping\n", b"\n", b"\r\n"))
                assert 14 < time.time() - begun < 17, time.time() - begun


def vanish(count):
    with Server() as server:
        picks = random.Random(7)
        for _ in range(count):
            client = server.connect()
            path = picks.choice(["/stream?count=1000000", "/hold"])
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            time.sleep(picks.random() * 0.01)
            if picks.random() < 0.5:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset instead of an end
            client.close()
        eventually(f"all are noticed: {server.counts()}", lambda: (c := server.counts())["closed"] == c["opened"] and c["open"] == 0)
        print(server.counts())


def load(count, stopped):
    """Many streams, some of whose readers stop; prints memory and how long /health took."""
    with Server() as server:
        server.get("/health")
        before = server.resident()
        selector = selectors.DefaultSelector()
        clients = []
        for i in range(count):
            client = server.connect()
            client.sendall(b"GET /stream?count=1000000&bytes=200 HTTP/1.1\r\nHost: a\r\n\r\n")
            clients.append(client)
            if i >= stopped:
                client.setblocking(False)
                selector.register(client, selectors.EVENT_READ)
        took, got, end = [], 0, time.time() + 5
        next_look = time.time()
        while time.time() < end:
            for key, _ in selector.select(0.01):
                got += len(key.fileobj.recv(65536))
            if time.time() >= next_look:
                begun = time.time()
                expect("health", server.get("/health")[0], 200)
                took.append(time.time() - begun)
                next_look = time.time() + 0.1
        grown = server.resident() - before
        took.sort()
        print(f"{count} streams, {stopped} stopped readers: {got / 5e6:.1f} MB/s, memory +{grown:.1f} MB, "
              f"/health median {took[len(took) // 2] * 1000:.1f} ms, largest {took[-1] * 1000:.1f} ms")
        assert grown < 100, grown
        assert took[len(took) // 2] < 0.5, took  # others run beside
        for client in clients:
            client.close()
        eventually("all closed", lambda: server.counts()["open"] == 0)


def drain():
    with Server() as server:
        idle = server.connect()
        idle.sendall(post("/echo", b"1"))
        answer(idle)
        stream = server.connect()
        stream.sendall(b"GET /stream?count=400&bytes=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        eventually("the stream runs", lambda: server.counts()["open"] == 1)
        server.process.send_signal(signal.SIGTERM)
        expect("idle connections close", idle.recv(1), b"")
        expect("what runs ends", read_stream(stream)[2].count(b"data: "), 400)
        with contextlib.suppress(ConnectionRefusedError):
            server.connect()
            raise AssertionError("a connection after the drain")
        expect("exit", server.process.wait(10), 0)


def addresses(path):
    with Server("host=::1", f"host={path}") as server:
        expect("addresses", server.addresses, [f"http://127.0.0.1:{server.port}", f"http://[::1]:{server.port}", f"unix:{path}"])
        for family, address in ((socket.AF_INET6, ("::1", server.port)), (socket.AF_UNIX, path)):
            with socket.socket(family) as client:
                client.connect(address)
                client.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
                expect(address, answer(client)[2], b"ok")
        other = subprocess.run(["http-test-server", f"host={path}"], capture_output=True, text=True, check=False)
        assert other.returncode == 1 and "cannot be listened at" in other.stderr, other.stderr
    assert os.path.exists(path)  # killed: the socket is left
    with Server(f"host={path}") as server:  # and the next server takes its place
        server.process.send_signal(signal.SIGTERM)
        expect("exit", server.process.wait(10), 0)
    assert not os.path.exists(path)


if __name__ == "__main__":
    group, *rest = sys.argv[1:]
    globals()[group](*(int(word) if word.isdigit() else word for word in rest))
