# SPDX-License-Identifier: Apache-2.0
"""Models that were trained with Unsloth, PEFT or transformers: saved as they lie in memory, and opened.

    import llcuda.unsloth
    model.save_pretrained_llcuda("tuned", tokenizer)
    llm, config = llcuda.unsloth.load_unsloth_model("tuned")

The import gives transformers' PreTrainedModel and PEFT's PeftModel the method `save_pretrained_llcuda` and changes
nothing else. It imports Unsloth first, where that is installed and transformers has not been imported yet, since
Unsloth asks to come first.
"""
from __future__ import annotations

import copy
import importlib
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

from ._library import library
from ._progress import ProgressArgument, Reporter
from ._weights import packed_modules, refuse_merged, stored_tensors, write_safetensors
from .errors import UnsupportedError, UsageError
from .models import load_unsloth_model

__all__ = ["load_unsloth_model", "save_pretrained_llcuda"]

_GGUF_TYPES = ("f16", "q8_0", "q4_0", "q4_k_m", "q5_k_m", "q6_k")
_ADAPTER = "adapter"


def save_pretrained_llcuda(self: Any, save_directory: str | os.PathLike[str], tokenizer: Any,
                           quantization: str = "nf4", *, progress: ProgressArgument = None) -> None:
    """Writes a folder for llcuda.LLM, llcuda-compile and load_unsloth_model: the base, its adapter unmerged beside it,
    and the tokenizer. Nothing is downloaded.

    quantization   what the engine's weights will be: "nf4", "fp16", or "gguf:" and a type such as Q4_K_M. A base that
                   bitsandbytes has in 4 bits is written as it is for "nf4"; otherwise it is written in 16 bits, and
                   quantised when it is compiled, after the adapter was merged.
    """
    _check(quantization)
    is_adapted = hasattr(self, "peft_config")
    if is_adapted:
        refuse_merged(self)
    base = self.get_base_model() if is_adapted and hasattr(self, "get_base_model") else self
    folder = Path(save_directory)
    folder.mkdir(parents=True, exist_ok=True)
    config = _config_of(base)
    keep_packed = quantization == "nf4" and _all_in_four_bits(base)
    if not keep_packed:
        config.pop("quantization_config", None)
    with Reporter(progress) as reporter:
        write_safetensors(folder / "model.safetensors", stored_tensors(base, keep_packed), reporter.stage("weights"))
    if is_adapted:
        config["_llcuda_adapter"] = _save_adapter(self, folder)
    tokenizer.save_pretrained(str(folder))
    if getattr(base, "generation_config", None) is not None:
        (folder / "generation_config.json").write_text(base.generation_config.to_json_string(), encoding="utf-8")
    config["_llcuda_quantization"] = quantization
    config["_llcuda_version"] = library().llcuda_version().decode()
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def _check(quantization: str) -> None:
    if quantization in ("nf4", "fp16"):
        return
    start, _, kind = quantization.partition(":")
    if start != "gguf" or kind.lower() not in _GGUF_TYPES:
        raise UsageError(f"quantization is {quantization!r}; there are nf4, fp16, and gguf: with "
                         + ", ".join(kind.upper() for kind in _GGUF_TYPES))


def _all_in_four_bits(base: Any) -> bool:
    packed = packed_modules(base).values()
    return bool(packed) and all(type(module.weight).__name__ == "Params4bit" for module in packed)


def _config_of(base: Any) -> dict[str, Any]:
    config = copy.deepcopy(base.config)
    config.architectures = [type(base).__name__]
    values: dict[str, Any] = json.loads(config.to_json_string())
    for key in ("_llcuda_adapter", "torch_dtype"):
        values.pop(key, None)
    values["dtype"] = str(base.dtype).removeprefix("torch.")
    return values


def _save_adapter(model: Any, folder: Path) -> str:
    """Its folder within this one."""
    peft = importlib.import_module("peft")
    names = list(model.active_adapters) if not isinstance(model.active_adapters, str) else [model.active_adapters]
    if len(names) != 1:
        raise UnsupportedError(f"{len(names)} adapters are active; set_adapter one of them, or make one of them with "
                               "add_weighted_adapter")
    kind = str(getattr(model.peft_config[names[0]].peft_type, "value", model.peft_config[names[0]].peft_type))
    if kind != "LORA":
        raise UnsupportedError(f"the adapter {names[0]!r} is of {kind}; llcuda reads LoRA and DoRA")
    # Embeddings that were not trained are the base's, which lies beside.
    peft.PeftModel.save_pretrained(model, str(folder / _ADAPTER), selected_adapters=names, save_embedding_layers=False)
    return _ADAPTER if names[0] == "default" else f"{_ADAPTER}/{names[0]}"


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _attach() -> None:
    if not _installed("transformers"):
        raise ImportError("llcuda.unsloth saves models of transformers, which is not installed; to open what it saved "
                          "llcuda.models.load_unsloth_model needs neither")
    if "transformers" not in sys.modules and _installed("unsloth"):
        importlib.import_module("unsloth")
    importlib.import_module("transformers").PreTrainedModel.save_pretrained_llcuda = save_pretrained_llcuda
    if _installed("peft"):
        importlib.import_module("peft").PeftModel.save_pretrained_llcuda = save_pretrained_llcuda


_attach()
