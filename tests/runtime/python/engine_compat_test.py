# SPDX-License-Identifier: Apache-2.0
"""llcuda.compat over a toy engine."""
import json
import unittest
import urllib.request
from unittest import mock

import llcuda
import toys
from llcuda.compat import InferenceEngine, ServerManager

GREEDY = {"temperature": 0, "max_tokens": 8}


class CompatTest(unittest.TestCase):
    def setUp(self):
        self.engine = InferenceEngine()
        self.addCleanup(self.engine.unload_model)
        self.assertIs(self.engine.load_model(toys.FOLDER / "toy.engine", device="host"), True)

    def test_ways_agree(self):
        result = self.engine.infer("abc", **GREEDY)
        self.assertTrue(result.success and result.text and result.error_message is None)
        self.assertEqual((str(result), result.tokens_generated), (result.text, 8))
        pieces = []
        self.assertEqual(self.engine.infer_stream("abc", pieces.append, **GREEDY).text, result.text)
        self.assertEqual("".join(pieces), result.text)
        self.assertGreater(len(pieces), 1)
        many = self.engine.batch_infer(["abc", "a", "abc"], **GREEDY)
        self.assertEqual([one.text for one in many], [result.text, self.engine.infer("a", **GREEDY).text, result.text])
        stopped = self.engine.infer("abc", stop_sequences=[result.text[2:4]], **GREEDY)
        self.assertEqual(stopped.text, result.text[:result.text.index(result.text[2:4])])
        seeded = [self.engine.infer("abc", temperature=2, seed=7, max_tokens=8).text for _ in range(2)]
        self.assertEqual(seeded[0], seeded[1])

    def test_metrics(self):
        self.engine.batch_infer(["abc", "a"], **GREEDY)
        metrics = self.engine.get_metrics()
        self.assertEqual(metrics["throughput"]["total_tokens"], 16)
        self.assertEqual(metrics["latency"]["sample_count"], 2)
        self.assertLessEqual(metrics["latency"]["min_ms"], metrics["latency"]["p50_ms"])
        self.engine.reset_metrics()
        self.assertEqual(self.engine.get_metrics()["throughput"]["total_requests"], 0)

    def test_errors(self):
        result = self.engine.infer("abc", top_p=3)
        self.assertEqual((result.success, result.text), (False, ""))
        self.assertIn("top_p is 3", result.error_message)
        with self.assertRaises(llcuda.UsageError):
            self.engine.infer("abc", top_p=3, raise_errors=True)

        def fail(_):
            raise KeyError("mine")

        with self.assertRaises(KeyError):
            self.engine.infer_stream("abc", fail, **GREEDY)
        self.engine.unload_model()
        self.assertFalse(self.engine.is_loaded)
        self.assertIn("load_model first", self.engine.infer("abc").error_message)
        with self.assertRaises(llcuda.BadInputError):
            self.engine.load_model("/no/such.gguf", device="host", targets=("host",))
        with self.assertWarnsRegex(UserWarning, "gpu_layers=10 has no effect"):
            self.engine.load_model(toys.FOLDER / "toy.engine", gpu_layers=10, device="host")

    def test_files_of_the_hub(self):
        with mock.patch.dict("sys.modules", {"huggingface_hub": None}), \
                self.assertRaisesRegex(llcuda.BadInputError, "hf download a/b c.gguf"):
            self.engine.load_model("a/b:c.gguf", device="host")
        hub = mock.Mock()
        hub.hf_hub_download.return_value = str(toys.FOLDER / "toy.engine")
        with mock.patch.dict("sys.modules", {"huggingface_hub": hub}):
            self.engine.load_model("a/b:toy.engine", device="host")
        hub.hf_hub_download.assert_called_once_with("a/b", "toy.engine")


class ServerTest(unittest.TestCase):
    def test_server(self):
        with ServerManager() as server:
            self.assertFalse(server.stop_server())
            self.assertFalse(server.check_server_health())
            model = toys.FOLDER / "toy.engine"
            self.assertTrue(server.start_server(model, port=0, args=["--device", "host"]))
            self.assertTrue(server.check_server_health(timeout=20))
            with self.assertRaisesRegex(llcuda.UsageError, "runs already"):
                server.start_server(model, port=0)
            with urllib.request.urlopen(server.server_url + "/v1/models", timeout=20) as answer:
                self.assertEqual(len(json.load(answer)["data"]), 1)
            self.assertTrue(server.stop_server())
            self.assertIsNone(server.server_url)
            with self.assertRaisesRegex(llcuda.BadInputError, "/no/such.engine"):
                server.start_server("/no/such.engine", port=0)
            self.assertFalse(server.check_server_health())


if __name__ == "__main__":
    unittest.main()
