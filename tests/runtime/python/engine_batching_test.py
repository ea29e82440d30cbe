# SPDX-License-Identifier: Apache-2.0
"""llcuda.server.batching over a toy engine."""
import random
import unittest

import llcuda
import settling
import toys
from llcuda.server.batching import ContinuousBatchScheduler, SlotState

GREEDY = {"temperature": 0, "max_tokens": 12}


class BatchingTest(unittest.TestCase):
    def test_texts_as_alone(self):
        chance = random.Random(7)
        prompts = ["".join(chance.choices("abcdefgh ", k=chance.randint(1, 9))) for _ in range(40)]
        with toys.engine() as engine:
            alone = [engine.generate(prompt, **GREEDY).text for prompt in prompts]
            with ContinuousBatchScheduler(engine) as scheduler:
                slots = [scheduler.add_request(prompt, **GREEDY) for prompt in prompts[:20]]
                self.assertEqual({slot.state for slot in slots}, {SlotState.WAITING})
                seen = set()
                while scheduler.active:
                    changed = scheduler.step()
                    self.assertTrue(changed)
                    seen.update(slot.state for slot in changed)
                    if len(scheduler.slots) < len(prompts):  # joins while others generate
                        scheduler.add_request(prompts[len(scheduler.slots)], **GREEDY)
                self.assertIn(SlotState.DONE, seen)
                self.assertEqual([slot.text for slot in scheduler.slots], alone)
                self.assertEqual([one.text for one in scheduler.run()], alone)
                self.assertEqual(scheduler.step(), [])
            self.assertTrue(engine.generate("abc", max_tokens=1).tokens)  # whose own it is

    def test_ends(self):
        path = toys.FOLDER / "toy.engine"
        with ContinuousBatchScheduler(path, max_batch_size=2, device="host") as scheduler:
            endless = scheduler.add_request("abc", ignore_stop=True, temperature=0)
            with self.assertRaisesRegex(llcuda.UsageError, "request 0 has not ended"):
                self.assertIsNone(endless.completion)
            while not endless.tokens:
                scheduler.step()
            scheduler.cancel(endless)
            while scheduler.active:
                scheduler.step()
            # It may have come to the end of the context before the cancel did.
            self.assertIn(endless.state, (SlotState.CANCELLED, SlotState.DONE))
            self.assertEqual(scheduler.engine._requests.stats().slots, 2)
            settling.settled(scheduler.engine)
            with self.assertRaises(llcuda.UsageError):
                scheduler.add_request([9999999])
            self.assertEqual(len(scheduler.slots), 1)
        with toys.engine() as engine, self.assertRaisesRegex(llcuda.UsageError, "open already"):
            ContinuousBatchScheduler(engine, max_batch_size=2)


if __name__ == "__main__":
    unittest.main()
