# SPDX-License-Identifier: Apache-2.0
"""A llcuda-serve on every GPU of a Ray cluster, behind one address: an application of Ray Serve.

    serve run llcuda_ray:application model=/srv/llcuda/model.engine replicas=4

Requests of one session go to one replica, whose cache has what was said before. Arguments: those of Arguments.
"""

import asyncio
import contextlib
import hashlib
import json
import shlex
import subprocess
import time

import aiohttp
import pydantic
from ray import exceptions, serve
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse

# What a proxy must not pass on: of one connection, or made anew.
HOP_HEADERS = {
    "connection",
    "content-length",
    "date",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
# Fields of a request that name who asks, the first that is there counts.
SESSION_FIELDS = ("session_id", "prompt_cache_key", "safety_identifier", "user")
BEGINNING = 1024  # characters of a prompt that stand for a session which has no name
ACCEPTED_SECONDS = 5  # in which a replica that lives takes a request
DOWN_SECONDS = 10  # in which one that did not is not asked first
STOP_SECONDS = 45  # --drain-seconds is 30


class Arguments(pydantic.BaseModel):
    model: str
    replicas: int = pydantic.Field(1, ge=1)
    gpus: float = 1  # of each replica; 0: with --device host among the flags
    cpus: float = 1
    program: str = "llcuda-serve"
    flags: str = ""  # further ones of llcuda-serve, as a shell takes them
    requests: int = 1024  # that a replica has at a time, waiting ones included


@serve.deployment(health_check_period_s=5, health_check_timeout_s=10, graceful_shutdown_timeout_s=STOP_SECONDS)
class Replica:
    """One llcuda-serve, on the GPU that Ray gives this process."""

    def __init__(self, program: str, model: str, flags: str):
        self.process = subprocess.Popen(
            [program, model, "--host", "127.0.0.1", "--port", "0", *shlex.split(flags)],
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()  # comes when the model is there
        if " at http" not in line:
            raise RuntimeError(f"{program} ended with {self.process.wait()}: {line}")
        self.url = next(word for word in line.replace(",", " ").split() if word.startswith("http"))
        self.session = None

    def client(self):
        if self.session is None:
            unlimited = aiohttp.ClientTimeout(total=None, sock_connect=ACCEPTED_SECONDS)
            self.session = aiohttp.ClientSession(
                timeout=unlimited, connector=aiohttp.TCPConnector(limit=0), auto_decompress=False
            )
        return self.session

    async def check_health(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"llcuda-serve ended with {self.process.returncode}")
        async with self.client().get(self.url + "/health", timeout=aiohttp.ClientTimeout(total=5)) as answer:
            if answer.status != 200:
                raise RuntimeError(f"/health says {answer.status}")

    async def answer(self, method: str, target: str, headers: list, body: bytes):
        """Nothing, once it is taken; then (status, headers); then the bytes as they come."""
        if self.process.poll() is not None:
            raise RuntimeError(f"llcuda-serve ended with {self.process.returncode}")
        yield None
        async with self.client().request(method, self.url + target, headers=headers, data=body or None) as answer:
            kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in HOP_HEADERS]
            yield answer.status, kept
            async for piece, _ in answer.content.iter_chunks():
                yield piece

    def __del__(self):
        process = getattr(self, "process", None)
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@serve.deployment(max_ongoing_requests=65536)
class Router:
    """Passes requests on, those of one session to one replica."""

    def __init__(self, *replicas):
        self.replicas = [replica.options(method_name="answer", stream=True) for replica in replicas]
        self.down = {}  # of a replica, until when it is asked last

    def order(self, session: str):
        """All replicas, best first: each session has an order of its own, in which one that is down changes nothing."""
        now = time.monotonic()

        def place(index):
            digest = hashlib.blake2b(f"{index} {session}".encode(errors="replace"), digest_size=8).digest()
            return self.down.get(index, 0) > now, digest

        return sorted(range(len(self.replicas)), key=place)

    async def begin(self, index: int, request: list):
        """The pieces of a replica's answer behind the first, or None where it does not live."""
        pieces = self.replicas[index].remote(*request)
        try:
            await asyncio.wait_for(anext(pieces), ACCEPTED_SECONDS)
            return pieces
        except (TimeoutError, exceptions.RayError, RuntimeError):
            self.down[index] = time.monotonic() + DOWN_SECONDS
            with contextlib.suppress(Exception):
                pieces.cancel()
            return None

    async def __call__(self, request: Request):
        body = await request.body()
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in HOP_HEADERS]
        for index in self.order(session_of(request.headers, body)):
            pieces = await self.begin(index, [request.method, target, headers, body])
            if pieces is None:
                continue
            try:
                status, kept = await anext(pieces)
            except exceptions.RayError as error:  # it ended before it said anything: a client may ask again
                return refusal(503, "unavailable_error", f"the replica {index} did not answer: {type(error).__name__}")
            answer = StreamingResponse(pieces, status)
            answer.raw_headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in kept]
            answer.headers["x-llcuda-replica"] = str(index)
            return answer
        return refusal(503, "unavailable_error", "no replica is there", {"Retry-After": "5"})


def refusal(status, kind, message, headers=None):
    return JSONResponse({"error": {"code": status, "message": message, "type": kind, "param": None}}, status, headers)


def session_of(headers, body: bytes) -> str:
    """Who asks: a header, a field, or how the conversation began. Requests without any go by their bytes."""
    if named := headers.get("x-session-id"):
        return named
    try:
        fields = json.loads(body) if body else {}
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return hashlib.sha256(body).hexdigest()
    for field in SESSION_FIELDS:
        if isinstance(fields.get(field), str) and fields[field]:
            return fields[field]
    messages = fields.get("messages")
    if isinstance(messages, list):
        first = next(
            (i for i, message in enumerate(messages) if isinstance(message, dict) and message.get("role") == "user"), 0
        )
        return json.dumps(messages[: first + 1])
    prompt = fields.get("prompt", fields.get("input", fields.get("content", "")))
    return json.dumps(prompt)[:BEGINNING]


def application(arguments: Arguments) -> serve.Application:
    replicas = [
        Replica.options(
            name=f"replica-{index}",
            num_replicas=1,
            max_ongoing_requests=arguments.requests,
            ray_actor_options={"num_gpus": arguments.gpus, "num_cpus": arguments.cpus},
        ).bind(arguments.program, arguments.model, arguments.flags)
        for index in range(arguments.replicas)
    ]
    return Router.bind(*replicas)
