# SPDX-License-Identifier: Apache-2.0
"""llcuda.models.load_unsloth_model. MODELS has a tiny model as folder and GGUF file."""
import json
import os
import shutil
import struct
import unittest
from pathlib import Path
from unittest import mock

import llcuda
from llcuda.models import load_unsloth_model

MODELS = Path(os.environ["MODELS"])
HOST = {"device": "host", "targets": ("host",), "context": 64, "golden": "none"}
PROMPT = [5, 6, 7]
WIDTH = 64  # of tiny_models.py


def write_adapter(folder, base):
    """A LoRA of rank 1 whose product is large."""
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps(
        {"peft_type": "LORA", "r": 1, "lora_alpha": 4, "base_model_name_or_path": str(base)}))
    header, data = {}, b""
    module = "base_model.model.model.layers.0.mlp.gate_proj"
    for name, shape in (("lora_A", [1, WIDTH]), ("lora_B", [96, 1])):
        values = struct.pack(f"<{max(shape)}f", *(((i * 37) % 17 - 8) / 8 for i in range(max(shape))))
        header[f"{module}.{name}.weight"] = {"dtype": "F32", "shape": shape,
                                             "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


class OpeningTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder, cls.gguf = MODELS / "llama", MODELS / "llama.f32.gguf"
        cls.adapter, cls.both = MODELS / "adapter", MODELS / "both"
        write_adapter(cls.adapter, cls.folder)
        shutil.copytree(cls.folder, cls.both)
        write_adapter(cls.both / "adapter", "someone/else")
        config = json.loads((cls.folder / "config.json").read_text())
        (cls.both / "config.json").write_text(json.dumps({**config, "_llcuda_adapter": "adapter"}))

    def opened(self, path, **how):
        llm, config = load_unsloth_model(path, **{**HOST, **how})
        with llm:
            top = llm.generate(PROMPT, max_tokens=1, temperature=0, logprobs=5, ignore_stop=True).logprobs[0].top
        return [one.id for one in top], [one.logprob for one in top], config

    def assert_same(self, a, b):
        self.assertEqual(a[0], b[0])
        for x, y in zip(a[1], b[1]):
            self.assertAlmostEqual(x, y, delta=0.01)

    def test_adapters(self):
        plain = self.opened(self.folder)
        alone, beside = self.opened(self.adapter), self.opened(self.both)
        self.assert_same(alone, beside)
        self.assertGreater(max(abs(x - y) for x, y in zip(plain[1], alone[1])), 0.1)
        self.assertEqual(plain[2], alone[2])
        self.assertEqual(beside[2], {**plain[2], "_llcuda_adapter": "adapter"})

    def test_engines_and_gguf_files(self):
        found = self.opened(self.gguf)
        self.assertEqual(found[2]["general.architecture"], "llama")
        with llcuda.LLM(self.gguf, **HOST) as llm:
            path, architecture = llm.report.path, llm.info.architecture
        llm, facts = load_unsloth_model(path, device="host")
        with llm:
            self.assertEqual(facts["architecture"], architecture)

    # Without huggingface_hub the error has the command; with it the snapshot is what is opened.
    def test_hub_names(self):
        with mock.patch.dict("sys.modules", {"huggingface_hub": None}), \
                self.assertRaisesRegex(llcuda.BadInputError, "hf download nobody/nothing --local-dir nothing"):
            load_unsloth_model("nobody/nothing", **HOST)
        hub = mock.Mock()
        hub.snapshot_download.return_value = str(self.both)
        with mock.patch.dict("sys.modules", {"huggingface_hub": hub}):
            self.assert_same(self.opened("someone/both"), self.opened(self.both))
            self.assertEqual(hub.snapshot_download.call_args[0], ("someone/both",))
            hub.snapshot_download.return_value = str(self.folder)
            self.assert_same(self.opened(self.both / "adapter"), self.opened(self.both))
            self.assertEqual(hub.snapshot_download.call_args[0], ("someone/else",))
            hub.snapshot_download.side_effect = OSError("no network\nand more")
            with self.assertRaisesRegex(llcuda.BadInputError, "could not be fetched from the hub: no network$"):
                load_unsloth_model("nobody/nothing", **HOST)


if __name__ == "__main__":
    unittest.main()
