# SPDX-License-Identifier: Apache-2.0
"""llcuda.check on an engine and a training side that is made of it; unsloth_saving.py has real ones."""
import unittest
from unittest import mock

import llcuda
import toys
from llcuda import _check

TEXTS = ("abc", "a b")
CHATS = ([{"role": "user", "content": "Hello"}],)


class Tokenizer:
    """That of an engine with transformers' names; `wrong` is what it does otherwise."""

    chat_template = "is there"

    def __init__(self, engine, wrong=""):
        self.engine, self.wrong = engine, wrong

    def __call__(self, text, add_special_tokens=True):
        if self.wrong == "chat tokens" and not add_special_tokens:
            return {"input_ids": self.engine.tokenize(text)[:-1]}
        ids = self.engine.tokenize(text, bos=True) if add_special_tokens else \
            self.engine._tokens_of(text, _check._RENDERED)
        return {"input_ids": [*ids, 1] if self.wrong == "tokens" and text == "abc" else ids}

    def apply_chat_template(self, messages, tokenize, add_generation_prompt):
        if self.wrong == "refused":
            raise ValueError("no such role")
        text = self.engine.render(messages, open_reply=add_generation_prompt)
        return text + "!" if self.wrong == "template" else text


class ParityTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = toys.engine()
        cls.addClassCleanup(cls.engine.close)

    def likely(self, shift):
        def answer(_, ids):
            top = self.engine.generate(ids, max_tokens=1, temperature=0, ignore_stop=True, logprobs=5).logprobs[0].top
            return {one.id: one.logprob + shift for one in top}

        return mock.patch.object(_check, "_likely", answer)

    def compared(self, wrong="", shift=0.0, **how):
        with self.likely(shift):
            return llcuda.check(None, Tokenizer(self.engine, wrong), self.engine, texts=TEXTS, chats=CHATS, **how)

    def test_agreement(self):
        parity = self.compared()
        self.assertTrue(parity, parity)
        self.assertEqual((parity.texts, parity.chats, parity.prompts), (2, 1, 2))
        self.assertLess(parity.max_error, 1e-6)
        self.assertIn("the engine agrees with the model: 2 texts, 1 chats and 2 prompts", str(parity))

    def test_each_part_is_named(self):
        for wrong, words in (("tokens", "tokens of 'abc': from token"), ("template", "the chat of user: from character"),
                             ("chat tokens", "the chat of user: from token"), ("refused", "no such role")):
            parity = self.compared(wrong)
            self.assertFalse(parity)
            self.assertIn(words, parity.differences[0])
            self.assertIn("the engine differs from the model:", str(parity))

    def test_likely_tokens(self):
        self.assertTrue(self.compared(shift=0.3))
        parity = self.compared(shift=0.3, tolerance=0.1)
        self.assertEqual(len(parity.differences), 2)
        self.assertIn("likely tokens after 'abc': token", parity.differences[0])
        self.assertAlmostEqual(parity.max_error, 0.3, places=4)

    # A token that the model finds likely and the engine does not list at all.
    def test_unlisted_token(self):
        with mock.patch.object(_check, "_likely", lambda *_: {99999: 0.0}):
            parity = llcuda.check(None, Tokenizer(self.engine), self.engine, texts=TEXTS, chats=())
        self.assertIn("by the model and at most", parity.differences[0])


if __name__ == "__main__":
    unittest.main()
