# SPDX-License-Identifier: Apache-2.0
"""Language models compiled ahead of time for the NVIDIA T4, and run.

    import llcuda
    llm = llcuda.LLM("model.gguf")
    print(llm.generate("The capital of France is").text)
"""
from ._check import Parity, check
from ._compile import CompileReport, MemoryPlan, compile
from ._devices import devices
from ._options import Options
from ._profile import KernelTime, Profile
from ._progress import Progress
from ._session import Session
from ._types import Candidate, Completion, DeviceInfo, EngineInfo, Metrics, SelfCheck, Token, TokenLogprob
from ._version import __version__
from ._waiting import AsyncTokenStream, TokenStream
from .engine import Engine
from .errors import (
    BadInputError,
    BusyError,
    CancelledError,
    Error,
    InternalError,
    NoDeviceError,
    OutOfMemoryError,
    SelfCheckError,
    UnsupportedError,
    UsageError,
)
from .llm import LLM

__all__ = [
    "LLM", "AsyncTokenStream", "BadInputError", "BusyError", "CancelledError", "Candidate", "CompileReport",
    "Completion", "DeviceInfo", "Engine", "EngineInfo", "Error", "InternalError", "KernelTime", "MemoryPlan", "Metrics",
    "NoDeviceError", "Options", "OutOfMemoryError", "Parity", "Profile", "Progress", "SelfCheck", "SelfCheckError", "Session",
    "Token", "TokenLogprob", "TokenStream", "UnsupportedError", "UsageError", "__version__", "check", "compile",
    "devices",
]
