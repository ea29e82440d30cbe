# SPDX-License-Identifier: Apache-2.0
"""What a server with an encoder answers: embeddings of texts as transformers has them, and no tokens.

    encoder_checks.py PROGRAM ENGINE embeddings/FAMILY.json
"""
import json
import pathlib
import sys

from served import Served


def embeddings(server, texts):
    body = {"input": [text["tokens"] for text in texts]}
    for _ in range(2):  # nothing of a text is kept for the next
        data = server.post("/v1/embeddings", body)["data"]
        for one, text in zip(data, texts, strict=True):
            cosine = sum(a * b for a, b in zip(one["embedding"], text["embedding"], strict=True))
            assert cosine >= 0.9999, (one["index"], cosine)


def refused(server, texts):
    for path, body in (("/v1/completions", {"prompt": [1, 2]}), ("/completion", {"prompt": [1, 2]}),
                       ("/v1/chat/completions", {"messages": [{"role": "user", "content": "a"}]}),
                       ("/v1/rerank", {"query": "a", "documents": ["b"]})):
        status, answer = server.ask(path, body)
        assert status == 501 and "is an encoder (bert)" in answer["error"]["message"], (path, status, answer)
    status, answer = server.ask("/v1/embeddings", {"input": [1] * 65})
    assert status == 400 and answer["error"]["type"] == "exceed_context_size_error", answer
    embeddings(server, texts)


program, engine, goldens = sys.argv[1:]
with Served(program, engine) as serving:
    for check in (embeddings, refused):
        check(serving, json.loads(pathlib.Path(goldens).read_text())["texts"])
        print(check.__name__, "ok")
