# SPDX-License-Identifier: Apache-2.0
"""What is named by a repository of the hub. huggingface_hub is asked where it is installed, and fetches into its
cache."""
from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable
from typing import Any

from .errors import BadInputError

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
# Of a repository: what the compiler reads of a folder.
_READ = ["*.json", "*.safetensors", "*.jinja", "*.model", "merges.txt"]


def local(path: str) -> str:
    """The path itself, or where the repository of this name lies on this machine."""
    if os.path.exists(path) or not _NAME.fullmatch(path) or path.endswith(".gguf"):
        return path
    hub = _library()
    if hub is None:
        return path  # the compiler's error says the command that fetches it
    return _fetched(path, lambda: hub.snapshot_download(path, allow_patterns=_READ))


def local_file(path: str) -> str:
    """The same, and for `REPOSITORY:FILE` that file."""
    repository, _, name = path.partition(":")
    if os.path.exists(path) or not _NAME.fullmatch(repository) or not name:
        return local(path)
    hub = _library()
    if hub is None:
        raise BadInputError(f"{path}: is a file of the hub; run `hf download {repository} {name} --local-dir .`, then "
                            f"give {name}")
    return _fetched(path, lambda: hub.hf_hub_download(repository, name))


def _library() -> Any:
    try:
        return importlib.import_module("huggingface_hub")
    except ImportError:
        return None


def _fetched(path: str, fetch: Callable[[], Any]) -> str:
    try:
        return str(fetch())
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise BadInputError(f"{path}: is not on this machine, and could not be fetched from the hub: {reason}") from error
