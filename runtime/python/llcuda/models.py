# SPDX-License-Identifier: Apache-2.0
"""Whatever a trained model was saved as, opened."""
from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from ._hub import local
from .errors import BadInputError
from .gguf_parser import GGUFReader
from .llm import LLM, is_engine

__all__ = ["load_unsloth_model"]


def load_unsloth_model(path: str | os.PathLike[str], **how: Any) -> tuple[LLM, dict[str, Any]]:
    """An engine on a device, and what the model's files say about it: config.json as a dict, the metadata of a GGUF
    file, the facts of an engine.

    `path` is what save_pretrained_llcuda or Unsloth's own savers wrote (merged in 16 bits, in 4 bits, or a LoRA alone),
    any other folder, a GGUF file, an engine, or the name of a repository on the hub. What is not on this machine is
    fetched by huggingface_hub where that is installed, into its cache; else the error says the command. Keywords are
    those of llcuda.LLM.
    """
    place = local(os.fspath(path))
    adapter = Path(place) / "adapter_config.json"
    if adapter.is_file() and not (Path(place) / "config.json").is_file() and "base" not in how:
        base = _read(adapter).get("base_model_name_or_path")
        if isinstance(base, str) and not os.path.exists(base):
            how["base"] = local(base)
    llm = LLM(place, **how)
    try:
        return llm, _config(place, how.get("base"), llm)
    except BaseException:
        llm.close()
        raise


def _config(place: str, base: Any, llm: LLM) -> dict[str, Any]:
    if is_engine(place):
        return dataclasses.asdict(llm.info)
    if place.endswith(".gguf"):
        with GGUFReader(place) as file:
            return dict(file.metadata)
    folder = Path(place) if os.path.isdir(place) else Path(place).parent
    if not (folder / "config.json").is_file():
        folder = Path(base or _read(folder / "adapter_config.json")["base_model_name_or_path"])
    return _read(folder / "config.json") if folder.is_dir() else _config(str(folder), None, llm)


def _read(file: Path) -> dict[str, Any]:
    values = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise BadInputError(f"{file}: is not a JSON object")
    return values
