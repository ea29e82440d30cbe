# SPDX-License-Identifier: Apache-2.0
"""Holds /v1/rerank to the log-probabilities that /v1/completions gives of "yes" and "no" behind the same prompts.

    rerank_checks.py --folder FOLDER TOKENIZER    puts a tokenizer with these words, and a template, there
    rerank_checks.py PROGRAM FOLDER
"""
import json
import math
import pathlib
import shutil
import sys

from served import Served

YES, NO = 78, 79
TEMPLATE = "Query {query} Document {document} Answer\n"
QUERY = "the moon"
DOCUMENTS = ["the sun is a star", {"text": "cheese"}, "the moon turns", "a {query} of 7 words in the night", "moon"]


def add_words(folder, tokenizer):
    for file in pathlib.Path(tokenizer).iterdir():
        shutil.copy(file, folder)
    path = pathlib.Path(folder) / "tokenizer.json"
    words = json.loads(path.read_text())
    words["model"]["vocab"] |= {"ye": YES - 1, "yes": YES, "no": NO}
    words["model"]["merges"] += [["y", "e"], ["ye", "s"], ["n", "o"]]
    path.write_text(json.dumps(words))
    path = pathlib.Path(folder) / "tokenizer_config.json"
    config = json.loads(path.read_text())
    config["chat_template"].append({"name": "rerank", "template": TEMPLATE})
    path.write_text(json.dumps(config))


def text_of(document):
    return document if isinstance(document, str) else document["text"]


def relevance(server, document):
    """By the plain softmax of the same prompt with either answer behind it."""
    before, behind = TEMPLATE.split("{document}")
    text = before.replace("{query}", QUERY) + text_of(document) + behind
    prompt = server.post("/tokenize", {"content": text, "add_special": True})["tokens"]
    likely = {}
    for token in (YES, NO):
        body = {"prompt": [*prompt, token], "echo": True, "logprobs": 0, "max_tokens": 0}
        likely[token] = server.post("/v1/completions", body)["choices"][0]["logprobs"]["token_logprobs"][-1]
    return 1 / (1 + math.exp(likely[NO] - likely[YES])), len(prompt)


def scores(server):
    answer = server.post("/v1/rerank", {"query": QUERY, "documents": DOCUMENTS})
    expected, lengths = zip(*(relevance(server, document) for document in DOCUMENTS))
    given = {result["index"]: result["relevance_score"] for result in answer["results"]}
    assert sorted(given) == list(range(len(DOCUMENTS))), answer
    for index, score in given.items():
        # Prompts are computed alone and beside others, by kernels that round in other places.
        assert abs(score - expected[index]) < 0.01, (index, score, expected)
    assert max(expected) - min(expected) > 0.05, expected
    assert answer["usage"] == {"prompt_tokens": sum(lengths), "total_tokens": sum(lengths)}, (answer, lengths)
    assert (answer["object"], answer["model"]) == ("list", "ranker"), answer


def order(server):
    body = {"query": QUERY, "documents": DOCUMENTS}
    results = server.post("/rerank", body)["results"]
    listed = [result["relevance_score"] for result in results]
    assert listed == sorted(listed, reverse=True) and all("document" not in result for result in results), results
    first, second = server.post("/v1/reranking", {**body, "top_n": 2, "return_documents": True})["results"]
    assert [first["index"], second["index"]] == [result["index"] for result in results[:2]], (first, second, results)
    assert first["document"] == {"text": text_of(DOCUMENTS[first["index"]])}, first


def refused(server):
    status, answer = server.ask("/v1/rerank", {"query": QUERY, "documents": [DOCUMENTS[0], "moon " * 200]})
    assert status == 400 and answer["error"]["type"] == "exceed_context_size_error", answer
    status, answer = server.ask("/v1/rerank", {"query": QUERY, "documents": ["a", {"text": 5}]})
    assert status == 400 and answer["error"]["message"].startswith("Field 'documents[1]': "), answer
    status, answer = server.ask("/v1/rerank", {"query": "moon " * 4000, "documents": ["a"] * 2048})
    assert status == 400 and answer["error"]["param"] == "query", answer
    status, answer = server.ask("/v1/rerank", {"documents": ["a"]})
    assert status == 400 and answer["error"]["param"] == "query", answer


def main(program, folder):
    flags = ("--ctx-size", "128", "--kv-unified", "--alias", "ranker")
    with Served(program, folder, "--rerank", *flags) as server:
        for check in (scores, order, refused):
            check(server)
            print(check.__name__, "ok")
    with Served(program, folder, *flags) as server:
        status, answer = server.ask("/v1/rerank", {"query": QUERY, "documents": ["a"]})
        assert status == 501 and "--rerank" in answer["error"]["message"], answer
        print("asked_for ok")


if sys.argv[1] == "--folder":
    add_words(*sys.argv[2:])
else:
    main(*sys.argv[1:])
