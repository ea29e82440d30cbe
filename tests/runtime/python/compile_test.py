# SPDX-License-Identifier: Apache-2.0
"""From a model file to text, and how long work is interrupted: MODEL is a tiny one, compiled for the host alone."""
import asyncio
import math
import os
import shutil
import signal
import tempfile
import threading
import time
import unittest
from pathlib import Path

import llcuda
from settling import running, settled, until

MODEL = Path(os.environ["MODEL"])
HOST = {"device": "host", "context": 4096, "targets": ("host",)}
ENDLESS = {"ignore_stop": True, "temperature": 0}
signal.signal(signal.SIGINT, signal.default_int_handler)  # which the background of a shell ignores
SECONDS = 5  # a step takes well under a millisecond, but others run beside the test


class InterruptedTest(unittest.TestCase):
    def interrupted(self, work, begun):
        """Seconds from SIGINT, once `begun` holds, to the KeyboardInterrupt of `work`."""
        sent = []

        def send():
            until(begun)
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

        sender = threading.Thread(target=send)
        sender.start()
        with self.assertRaises(KeyboardInterrupt):
            work()
        sender.join()
        return time.monotonic() - sent[0]


class LlmTest(InterruptedTest):
    @classmethod
    def setUpClass(cls):
        cls.steps = []
        cls.llm = llcuda.LLM(MODEL, progress=cls.steps.append, **HOST)
        cls.addClassCleanup(cls.llm.close)

    def test_three_lines(self):
        text = self.llm.generate("abc", max_tokens=8, temperature=0).text
        self.assertTrue(text)
        with llcuda.LLM(MODEL, **HOST) as again:
            self.assertTrue(again.report.cached)
            self.assertEqual(again.report.path, self.llm.report.path)
            self.assertEqual(again.generate("abc", max_tokens=8, temperature=0).text, text)
        with llcuda.LLM(self.llm.report.path, device="host") as engine:
            self.assertIsNone(engine.report)
            self.assertEqual(engine.generate("abc", max_tokens=8, temperature=0).text, text)
        chat = [{"role": "user", "content": "host"}]
        tokens = self.llm.tokenize(self.llm.render(chat))
        self.assertEqual(self.llm.chat(chat, max_tokens=4, temperature=0).tokens,
                         self.llm.generate(tokens, max_tokens=4, temperature=0).tokens)

    def test_rerank(self):
        """By the log-probabilities behind the same prompts, with the model's template and with another one."""
        answers, documents = ("t", "the"), ["abc", "x", "{query}"]
        for template, before in ((None, "abc"), ("a{query} {document}", "aab ")):
            scores = self.llm.rerank("ab", documents, template=template, answers=answers)
            likely = [[self.llm.logprobs(before + document, answer)[0].logprob for answer in answers]
                      for document in documents]
            self.assertEqual(len(scores), len(documents))
            for score, (first, second) in zip(scores, likely):
                self.assertAlmostEqual(score, 1 / (1 + math.exp(second - first)), places=3)
            self.assertGreater(max(scores) - min(scores), 0.01)

    def test_report(self):
        report = self.llm.report
        memory = report.memory
        self.assertEqual(memory.weights + memory.kv_cache + memory.buffers, memory.total)
        self.assertEqual(report.bytes, self.llm.info.file_bytes)
        self.assertIn("kv cache", report._repr_html_())
        if not report.cached:
            self.assertEqual({step.stage for step in self.steps}, {"host kernels", "reference pass", "weights"})
            self.assertTrue(all(step.done <= step.total for step in self.steps))

    def test_errors(self):
        with self.assertRaises(llcuda.BadInputError) as caught:
            llcuda.LLM("/does/not/exist.gguf", **HOST)
        self.assertIn("/does/not/exist.gguf", str(caught.exception))
        with self.assertRaisesRegex(llcuda.UsageError, "'some' is not one of"):
            llcuda.compile(MODEL, quantize="some")
        with self.assertRaisesRegex(TypeError, "quantize is for models that are compiled"):
            llcuda.LLM(self.llm.report.path, quantize="q8_0")

    # Ctrl-C in whatever runs: it ends, its request ends, and the engine goes on.
    def test_interrupt(self):
        before = settled(self.llm).cancelled
        for count, work in ((1, lambda: self.llm.generate("abc", **ENDLESS)),
                            (1, lambda: list(self.llm.stream("abc", **ENDLESS))),
                            (3, lambda: self.llm.batch(["abc", "x", "y"], **ENDLESS))):
            self.assertLess(self.interrupted(work, lambda wanted=count: running(self.llm) == wanted), SECONDS)
            settled(self.llm)
        stats = settled(self.llm)
        self.assertEqual(stats.cancelled - before, 5)
        self.assertEqual(stats.free_pages + stats.cached_pages, stats.pages)
        with self.llm.session() as session:
            said = []
            work = lambda: session.generate("abc", on_text=said.append, **ENDLESS)  # noqa: E731
            self.assertLess(self.interrupted(work, lambda: said), SECONDS)
        self.assertTrue(self.llm.generate("abc", max_tokens=2).tokens)

    def test_cancelled_tasks(self):
        async def read(stream):
            return [token async for token in stream]

        async def run():
            tasks = [asyncio.create_task(self.llm.agenerate("x", **ENDLESS)),
                     asyncio.create_task(read(self.llm.astream("abc", **ENDLESS)))]
            while running(self.llm) < 2:
                await asyncio.sleep(0.01)
            for task in tasks:
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task

        before = settled(self.llm).cancelled
        asyncio.run(run())
        self.assertEqual(settled(self.llm).cancelled - before, 2)

    def test_close_while_others_wait(self):
        engine = llcuda.LLM(MODEL, **HOST)
        stream = engine.stream("abc", **ENDLESS)
        failed = []

        def wait():
            try:
                engine.generate("x", **ENDLESS)
            except llcuda.CancelledError as error:
                failed.append(str(error))

        thread = threading.Thread(target=wait)
        thread.start()
        until(lambda: running(engine) == 2)
        engine.close()
        engine.close()
        thread.join(20)
        self.assertEqual(failed, ["the engine was closed"])
        with self.assertRaisesRegex(llcuda.CancelledError, "the engine was closed"):
            list(stream)
        with self.assertRaisesRegex(llcuda.CancelledError, "the engine is closed"):
            engine.tokenize("x")


class CompileTest(InterruptedTest):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        caches = os.environ["XDG_CACHE_HOME"]
        self.addCleanup(os.environ.__setitem__, "XDG_CACHE_HOME", caches)

    # With a cache that is empty, so that there is something to interrupt.
    def test_interrupt(self):
        os.environ["XDG_CACHE_HOME"] = self.folder
        output = Path(self.folder) / "out.engine"
        steps = []
        work = lambda: llcuda.compile(MODEL, output, targets=("host",), progress=steps.append)  # noqa: E731
        self.assertLess(self.interrupted(work, lambda: steps), SECONDS)
        self.assertEqual([name for name in os.listdir(self.folder) if "out" in name], [])

    def test_output(self):
        output = Path(self.folder) / "out.engine"
        report = llcuda.compile(MODEL, output, context=4096, targets=("host",), golden="none")
        self.assertEqual((report.path, report.cached), (str(output), False))
        self.assertEqual(report.bytes, output.stat().st_size)
        with llcuda.Engine(output, device="host") as engine:
            self.assertFalse(engine.info.has_golden)


if __name__ == "__main__":
    unittest.main()
