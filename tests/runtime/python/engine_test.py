# SPDX-License-Identifier: Apache-2.0
import asyncio
import json
import math
import pickle
import random
import threading
import unittest

import llcuda
import toys

GREEDY = {"temperature": 0, "max_tokens": 8}


class EngineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = toys.engine()
        cls.addClassCleanup(cls.engine.close)

    def test_text(self):
        engine = self.engine
        self.assertEqual(engine.tokenize("abc", bos=True), [engine.info.bos, *engine.tokenize("abc")])
        self.assertEqual(engine.detokenize(engine.tokenize("a bc")), "a bc")
        self.assertEqual(engine.detokenize(engine.tokenize("abc" * 5000)), "abc" * 5000)
        self.assertEqual(b"".join(engine.token_bytes(token) for token in engine.tokenize("abc")), b"abc")
        self.assertIsNone(engine.token_bytes(10**6))
        rendered = engine.render([{"role": "user", "content": "Hello"}])
        self.assertIn("Hello", rendered)
        self.assertTrue(rendered.startswith(engine.render([{"role": "user", "content": "Hello"}], open_reply=False)))
        with self.assertRaises(llcuda.UsageError):
            engine.render([{"role": "user", "content": "Hello"}], template="no such template")

    def test_info(self):
        info = self.engine.info
        self.assertEqual((info.architecture, info.max_batch, info.has_tokenizer), ("toy", 8, True))
        self.assertIsInstance(info.has_golden, bool)

    def test_description(self):
        info, described = self.engine.info, self.engine.describe()
        self.assertEqual((described["model"]["architecture"], described["max_batch"], described["fingerprint"]),
                         ("toy", 8, info.fingerprint))
        self.assertEqual(described["compiler"]["version"], info.compiler)
        self.assertEqual((described["text"]["bos"], described["targets"]), (info.bos, ["host"]))
        self.assertEqual((described["weight_bytes"], described["file_bytes"]), (info.weight_bytes, info.file_bytes))
        whole, one = described["memory"], self.engine.describe(context=16, slots=1)["memory"]
        self.assertEqual((whole["context"], whole["slots"]), (info.max_context, info.max_batch))
        self.assertEqual(sum(one[part] for part in ("weights", "constants", "arena", "kv", "io", "counters")), one["total"])
        self.assertLess(one["kv"], whole["kv"])
        for wrong in ({"slots": 9}, {"context": info.max_context + 1}, {"context": -1}):
            with self.assertRaises(llcuda.UsageError):
                self.engine.describe(**wrong)

    def test_devices(self):
        *gpus, host = llcuda.devices()
        self.assertEqual((host.device, host.index, host.compute_capability, host.driver_version), ("host", 0, (0, 0), None))
        self.assertGreater(host.total_bytes, 0)
        self.assertEqual([gpu.index for gpu in gpus], list(range(len(gpus))))
        self.assertTrue(all(gpu.device == "cuda" and gpu.compute_capability >= (5, 0) for gpu in gpus))

    # Whatever way a text is asked for, it is the same text; a session is the library's other way to make it.
    def test_all_ways_agree(self):
        with self.engine.session() as session:
            session.generate("abc", **GREEDY)
            tokens = session.tokens
        completion = self.engine.generate("abc", **GREEDY)
        prompt = self.engine.tokenize("abc", bos=True)
        self.assertEqual(tokens, [*prompt, *completion.tokens][:len(tokens)])
        self.assertEqual(self.engine.generate(prompt, **GREEDY).text, completion.text)
        with self.engine.stream("abc", **GREEDY) as stream:
            self.assertEqual("".join(token.text for token in stream), completion.text)
            self.assertEqual(stream.completion.tokens, completion.tokens)
        self.assertEqual(asyncio.run(self.engine.agenerate("abc", **GREEDY)).text, completion.text)
        again = self.engine.generate("abc", max_tokens=8, temperature=2)
        self.assertEqual(self.engine.generate("abc", max_tokens=8, temperature=2, seed=again.seed).text, again.text)

    # 8 threads, an event loop and a batch on one engine: each text is the one that it would be alone.
    def test_many_at_once(self):
        chance = random.Random(7)
        prompts = ["".join(chance.choices("abcdefgh ", k=chance.randint(1, 9))) for _ in range(200)]
        alone = [self.engine.generate(prompt, **GREEDY).text for prompt in prompts]
        steps = []
        self.assertEqual([one.text for one in self.engine.batch(prompts, progress=steps.append, **GREEDY)], alone)
        self.assertEqual(steps[-1], llcuda.Progress("batch", 200, 200))

        found = {}

        def work(begin):
            for i in range(begin, 200, 8):
                found[i] = self.engine.generate(prompts[i], **GREEDY).text

        threads = [threading.Thread(target=work, args=(begin,)) for begin in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([found[i] for i in range(200)], alone)

        async def together():
            return [one.text for one in await self.engine.abatch(prompts, **GREEDY)]

        self.assertEqual(asyncio.run(together()), alone)

    def test_stop_strings_and_reasons(self):
        whole = self.engine.generate("abc", **GREEDY)
        self.assertEqual(whole.stop, "length")
        stopped = self.engine.generate("abc", stop=["no such", whole.text[3:5]], **GREEDY)
        self.assertEqual((stopped.stop, stopped.stop_string), ("string", whole.text[3:5]))
        self.assertEqual(stopped.text, whole.text[:whole.text.index(whole.text[3:5])])
        self.assertEqual(self.engine.generate("abc", temperature=0, ignore_stop=True).stop, "context")

    def test_logprobs(self):
        answer = self.engine.generate("abc", logprobs=3, **GREEDY)
        self.assertEqual(len(answer.logprobs), len(answer.tokens))
        for token in answer.logprobs:
            self.assertEqual(token.top[0].id, token.id)
            self.assertAlmostEqual(token.top[0].logprob, token.logprob)
        forced = self.engine.logprobs("abc", answer.tokens, top=1)
        for generated, given in zip(answer.logprobs, forced):
            self.assertEqual(generated.id, given.id)
            self.assertAlmostEqual(generated.logprob, given.logprob, places=5)

    def test_embeddings(self):
        rows = self.engine.embed(["abc", "x"], pooling="last")
        self.assertEqual([len(row) for row in rows], [self.engine.info.embedding] * 2)
        self.assertAlmostEqual(math.fsum(value * value for value in rows[0]), 1, places=5)
        with self.assertRaisesRegex(llcuda.UsageError, "one text"):
            self.engine.embed("abc")

    def test_rerank_refused(self):
        with self.assertRaisesRegex(llcuda.UsageError, "one text"):
            self.engine.rerank("ab", "abc")
        with self.assertRaisesRegex(llcuda.UnsupportedError, "no token 'yes'"):
            self.engine.rerank("ab", ["abc"], template="{query}")
        with self.assertRaisesRegex(llcuda.UnsupportedError, "no template \"rerank\"; give one"):
            self.engine.rerank("ab", ["abc"])

    def test_grammars(self):
        with toys.engine("masks") as engine:
            schema = {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"],
                      "additionalProperties": False}
            answer = engine.generate("abc", json_schema=schema, temperature=0)
            self.assertIsInstance(json.loads(answer.text)["a"], bool)
            self.assertRegex(engine.generate("abc", regex="[0-9]{3}", temperature=0).text, r"^[0-9]{3}$")
            with self.assertRaises(llcuda.UsageError):
                engine.generate("abc", gbnf="root ::= nothing")

    def test_wrong_options(self):
        for options, sentence in (
            ({"temprature": 1}, "temprature is no option"), ({"temperature": "hot"}, "temperature: "),
            ({"top_p": 3}, "top_p is 3"), ({"regex": "a", "gbnf": "b"}, "one form"), ({"stop": [3]}, "stop: "),
            ({"logit_bias": {1: "x"}}, "logit_bias: "),
        ):
            with self.subTest(options), self.assertRaisesRegex(llcuda.UsageError, sentence):
                self.engine.generate("abc", **options)
        with self.assertRaisesRegex(llcuda.UsageError, "9999999"):
            self.engine.generate([9999999])

    def test_errors_are_typed(self):
        with self.assertRaises(llcuda.BadInputError) as caught:
            llcuda.Engine("/does/not/exist")
        self.assertEqual(caught.exception.exit_code, 2)
        self.assertIsInstance(caught.exception, ValueError)
        with toys.engine("wrong") as engine, self.assertRaises(llcuda.SelfCheckError):
            engine.self_check()
        self.assertEqual(self.engine.self_check().different_texts, 0)
        with self.assertRaisesRegex(llcuda.UsageError, "there are auto, cuda, host"):
            llcuda.Engine(toys.FOLDER / "toy.engine", device="gpu")
        with self.assertRaises(TypeError):
            pickle.dumps(self.engine)

    def test_without_a_device(self):
        with llcuda.Engine(toys.FOLDER / "toy.engine", device=None) as engine:
            self.assertEqual(engine.detokenize(engine.tokenize("abc")), "abc")
            with self.assertRaisesRegex(llcuda.UsageError, "device=None"):
                engine.generate("abc")

    def test_session(self):
        with self.engine.session(profile=True) as session:
            first = session.generate("abc", max_tokens=2, temperature=0)
            length = len(session.tokens)
            second = session.generate(max_tokens=3, temperature=0)
            session.rewind(length)
            pieces = []
            self.assertEqual(session.generate(max_tokens=3, temperature=0, on_text=pieces.append), second)
            self.assertEqual("".join(pieces), second)
            self.assertTrue(first)
            profile = session.profile
            self.assertGreater(sum(one.launches for one in profile.kernels), 4)
            self.assertIn("<table>", profile._repr_html_())
            with self.assertRaisesRegex(llcuda.UsageError, "stop is an option of the engine's requests"):
                session.generate("a", stop=["b"])

            def fail(_):
                raise KeyError("mine")

            session.rewind(0)
            with self.assertRaises(KeyError):
                session.generate("abc", max_tokens=3, on_text=fail)


if __name__ == "__main__":
    unittest.main()
