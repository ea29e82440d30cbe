# SPDX-License-Identifier: Apache-2.0
"""The weights of a model of transformers as they lie in memory, and the safetensors file that they become."""
from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .errors import UnsupportedError, UsageError

Named = tuple[str, Callable[[], Any]]  # a tensor's name, and what gives the tensor

# What PEFT puts around a module, which has the module's own weights inside.
_WRAPPERS = (".base_layer", ".original_module", ".token_adapter")
# What belongs to an adapter.
_ADAPTER_PARTS = (".lora_", ".modules_to_save.", ".trainable_tokens_")
_PACKED = ("Params4bit", "Int8Params")
_TYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16", "uint8": "U8", "int8": "I8", "int16": "I16",
          "int32": "I32", "int64": "I64", "bool": "BOOL"}


def packed_modules(model: Any) -> dict[str, Any]:
    """The modules whose weight bitsandbytes keeps in 4 or 8 bits."""
    return {name: module for name, module in model.named_modules()
            if type(getattr(module, "weight", None)).__name__ in _PACKED}


def refuse_merged(model: Any) -> None:
    for name, module in model.named_modules():
        if getattr(module, "merged_adapters", None):
            raise UsageError(f"{name}: the adapter {module.merged_adapters[0]!r} is merged into the weights and would "
                             "count twice beside them; call unmerge_adapter() first")


def stored_tensors(model: Any, keep_packed: bool) -> list[Named]:
    """Every tensor of the base once, tied ones by their first name. What bitsandbytes packed stays as it is, or becomes
    16-bit values."""
    packed = {} if keep_packed else packed_modules(model)
    found: list[Named] = []
    seen: set[Any] = set()
    for stated, tensor in model.state_dict().items():
        name = _base_name(stated)
        module, part = _owner(stated, packed)
        if name is None or (module and part not in ("weight", "bias")):
            continue
        if tensor.device.type == "meta":
            raise UnsupportedError(f"{name}: its values are not in memory (device_map put them elsewhere); load the "
                                   "model without offloading, then save it")
        place = (tensor.data_ptr(), tensor.shape, tensor.dtype) if tensor.numel() else name
        if name in seen or place in seen:
            continue
        seen.update((name, place))
        found.append((name, partial(_unpacked, packed[module], name) if module and part == "weight"
                      else partial(_itself, tensor)))
    return found


def _itself(tensor: Any) -> Any:
    return tensor


def _base_name(name: str) -> str | None:
    """The name that a tensor had before PEFT came; None: it is an adapter's."""
    if any(part in name for part in _ADAPTER_PARTS):
        return None
    for wrapper in _WRAPPERS:
        name = name.replace(wrapper, "")
    return name


def _owner(name: str, packed: dict[str, Any]) -> tuple[str, str]:
    """The packed module that a tensor is of, and which part: "weight", "weight.absmax", "bias"."""
    module = name
    while "." in module:
        module = module.rpartition(".")[0]
        if module in packed:
            return module, name[len(module) + 1:]
    return "", name


def _unpacked(module: Any, name: str) -> Any:
    """In f16 where that holds the values, else in f32."""
    torch = importlib.import_module("torch")
    weight = module.weight
    if type(weight).__name__ == "Params4bit":
        whole = _dequantized(weight, torch.float32)
    else:
        scales = weight.SCB if weight.SCB is not None else module.state.SCB
        if scales is None:
            raise UnsupportedError(f"{name}: has no scales; run the model once, then save it")
        whole = weight.data.float() * scales.float().unsqueeze(1) / 127
    return whole.half() if whole.abs().max() <= torch.finfo(torch.float16).max else whole


def _dequantized(weight: Any, dtype: Any) -> Any:
    """bitsandbytes gives the values in the dtype that the state names."""
    state = weight.quant_state
    kept, state.dtype = state.dtype, dtype
    try:
        return importlib.import_module("bitsandbytes.functional").dequantize_4bit(weight.data, state)
    finally:
        state.dtype = kept


def write_safetensors(path: Path, tensors: Sequence[Named], progress: Callable[[int, int], None]) -> None:
    """Copies one tensor at a time to the host. The file appears when it is whole."""
    torch = importlib.import_module("torch")
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    room = 8 * sum(len(json.dumps(name)) // 8 + 40 for name, _ in tensors) + 64  # spaces may follow the header
    part = path.with_name(path.name + ".part")
    offset = 0
    try:
        with open(part, "wb") as file:
            file.seek(8 + room)
            for done, (name, get) in enumerate(tensors):
                tensor = get().detach()
                kind = _TYPES.get(str(tensor.dtype).removeprefix("torch."))
                if kind is None:
                    raise UnsupportedError(f"{name}: is of {tensor.dtype}, which no file of llcuda can have")
                flat = tensor.to("cpu").contiguous().reshape(-1).view(torch.uint8)
                file.write(flat.numpy())
                header[name] = {"dtype": kind, "shape": list(tensor.shape),
                                "data_offsets": [offset, offset + flat.numel()]}
                offset += flat.numel()
                progress(done + 1, len(tensors))
            file.seek(0)
            file.write(room.to_bytes(8, "little") + json.dumps(header).encode().ljust(room))
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
