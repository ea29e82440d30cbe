# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin that runs llama.cpp's server tests against another server and a model of their own.

SUITE is the folder of the tests, SUITE_SERVER the program, which gets llama-server's flags, SUITE_MODEL its model. What
depends on the words or on the tokenizer of the suite's own model is not compared: patterns of text fit anything, and
numbers of tokens that the tests expect are equal to every number.
"""
import os
import pathlib
import socket
import sys

import pytest

SUITE = os.environ["SUITE"]
sys.path.insert(0, SUITE)
os.chdir(SUITE)

import utils  # noqa: E402

COMPILING = 600  # seconds that a model's first start may take
COUNTS = ("n_prompt", "n_cache", "n_tokens", "batch_count")


class AnyNumber(int):
    """As a parameter of a test: equal to what the server says."""

    def __eq__(self, other):
        return isinstance(other, int)

    def __ne__(self, other):
        return not self == other

    __hash__ = int.__hash__

    def __add__(self, other):
        return AnyNumber(int(self) + int(other))


def counted(ask):
    """This test knows how many tokens its prompts have by the suite's own tokenizer; here /tokenize says it."""
    def replacement(self, method, path, data=None, *rest, **named):
        answer = ask(self, method, path, data, *rest, **named)
        if path == "/completion" and "::test_completion_prompt_cache " in os.environ.get("PYTEST_CURRENT_TEST", ""):
            tokens = ask(self, "POST", "/tokenize", {"content": data["prompt"], "add_special": True}).body["tokens"]
            timings = answer.body["timings"]
            assert timings["prompt_n"] + timings["cache_n"] == len(tokens)
            timings["prompt_n"] = AnyNumber(timings["prompt_n"])
        return answer

    return replacement


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_here(start):
    def replacement(self, timeout_seconds=0):
        self.server_path = os.environ["SUITE_SERVER"]
        self.model_hf_repo = self.model_hf_file = self.model_url = None
        self.model_file = os.environ["SUITE_MODEL"]
        self.offline = False
        return start(self, max(timeout_seconds, COMPILING))

    return replacement


utils.match_regex = lambda pattern, text: isinstance(text, str)
utils.ServerPreset.load_all = staticmethod(lambda: None)
utils.ServerProcess.make_request = counted(utils.ServerProcess.make_request)
utils.ServerProcess.start = start_here(utils.ServerProcess.start)
utils.ServerProcess.server_port = free_port()


def pytest_collection_modifyitems(items):
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        for name in COUNTS:
            if type(parameters.get(name)) is int:
                parameters[name] = AnyNumber(parameters[name])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """One line for each test in the file SUITE_RESULTS: its name and what became of it."""
    report = yield
    if report.when == "call" or report.outcome != "passed":
        name = f"{item.path.name}::{item.name}"
        with pathlib.Path(os.environ["SUITE_RESULTS"]).open("a", encoding="utf-8") as results:
            results.write(f"{report.outcome}\t{name}\n")
    return report
