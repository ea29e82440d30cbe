# SPDX-License-Identifier: Apache-2.0
"""A llcuda-serve on a free port, for tests: `with Served(PROGRAM, MODEL, flags) as server: server.post(...)`."""
import json
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

COMPILING = 600  # seconds that a model's first start may take


class Served:
    def __init__(self, program, model, *flags):
        self.command = [program, "--model", model, "--port", "0", "--device", "host", *flags]

    def __enter__(self):
        self.log = tempfile.TemporaryFile("w+", encoding="utf-8")
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()  # comes when the model is there
        if " at http" not in line:
            self.log.seek(0)
            raise SystemExit(f"{' '.join(self.command)} ended: {line}{self.log.read()}")
        self.url = next(word for word in line.replace(",", " ").split() if word.startswith("http"))
        return self

    def __exit__(self, *_):
        self.process.terminate()
        if self.process.wait(60) != 0:
            raise SystemExit(f"the server ended with {self.process.returncode}")

    def open(self, path, body=None, timeout=300, headers=None):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json", **(headers or {})})
        return urllib.request.urlopen(request, timeout=timeout)

    def ask(self, path, body=None, **more):
        """(status, JSON)"""
        try:
            with self.open(path, body, **more) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def post(self, path, body):
        status, answer = self.ask(path, body)
        if status != 200:
            raise AssertionError((path, body, status, answer))
        return answer

    def stream(self, path, body):
        """The events of a stream, [DONE] as None."""
        with self.open(path, {**body, "stream": True}) as answer:
            for line in answer:
                if line.startswith(b"data: "):
                    yield None if line.strip() == b"data: [DONE]" else json.loads(line[6:])


def until(condition, seconds=30):
    """Waits for something that has to come."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not come")
        time.sleep(0.02)
