# SPDX-License-Identifier: Apache-2.0
"""Reads every #include line of the project and refuses those that cross a border of docs/architecture.md.

usage: check_layering.py [ROOT]
"""
import pathlib
import re
import sys

MLIR = ("mlir/", "llvm/", "dialects/")
# room -> prefixes of project headers it may include; the longest matching room decides.
RUNTIME = ("runtime/", "codegen/formats/", "codegen/pack/")
# The files of compiler/models that make ops; the others are built where MLIR is not installed.
MLIR_MODELS = tuple(f"compiler/models/{name}" for name in ("import.cpp", "import.h", "model_builder.cpp", "model_builder.h",
                                                           "parameter.cpp", "parameter.h"))
COMPILER = ("dialects/", "compiler/", "codegen/", "runtime/schema/", "runtime/base/", "runtime/text/")
ROOMS = {
    "dialects": ("dialects/", "codegen/formats/"),
    "compiler": COMPILER,
    "compiler/models": ("compiler/models/", "compiler/ingest/", "codegen/", "runtime/base/", "runtime/text/"),
    **{file: COMPILER for file in MLIR_MODELS},
    # Refitting opens an engine.
    "compiler/pipeline": COMPILER + ("runtime/engine/",),
    "compiler/ingest": ("compiler/ingest/", "codegen/formats/", "runtime/base/", "runtime/text/"),
    "codegen": ("codegen/", "runtime/base/"),
    "codegen/formats": ("codegen/formats/", "runtime/base/"),
    "codegen/kernels": ("codegen/formats/", "codegen/kernels/"),
    "codegen/kernels/base/host.cuh": ("codegen/formats/", "codegen/kernels/", "runtime/base/hostsim_abi.h"),
    "runtime": RUNTIME + ("llcuda/",),
    "runtime/base": ("runtime/base/",),
    "runtime/schema": ("runtime/base/", "runtime/schema/"),
    "runtime/cuda": ("runtime/base/", "runtime/cuda/"),
    # The executor runs device code of the tests on the CPU, so it shares the ABI header alone.
    "runtime/hostsim": ("runtime/base/", "runtime/hostsim/", "runtime/cuda/"),
    "runtime/text": ("runtime/base/", "runtime/text/"),
    "runtime/engine": ("runtime/base/", "runtime/schema/", "runtime/cuda/", "runtime/engine/", "codegen/formats/", "codegen/pack/"),
    "runtime/include": ("llcuda/",),
}
MLIR_ROOMS = MLIR_MODELS + ("dialects", "compiler/transforms", "compiler/conversion", "compiler/reference",
              "compiler/emit", "compiler/pipeline", "tools/llcuda-compile", "tools/llcuda-opt", "tools/llcuda-eval", "tests")
PROJECT = ("dialects/", "compiler/", "codegen/", "runtime/", "tools/", "tests/", "llcuda/")
# Standard headers have no place in device code, except where base/ and ptx/ talk to the host.
DEVICE_STD = ("codegen/kernels/base/", "codegen/kernels/ptx/", "codegen/kernels/block/")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)


def room_of(path, rooms):
    matches = [room for room in rooms if path == room or path.startswith(room + "/")]
    return max(matches, key=len, default=None)


def violations(path, text):
    for quote, header in INCLUDE.findall(text):
        room = room_of(path, ROOMS)
        if header.startswith(MLIR[:2]) and not room_of(path, MLIR_ROOMS):
            yield f"{path}: includes {header}; MLIR belongs to the compiler's rooms"
        if room is None:
            continue
        if header.startswith(PROJECT) and not header.startswith(ROOMS[room]):
            yield f"{path}: includes {header}; {room} may include {', '.join(ROOMS[room])}"
        if room.startswith("codegen/kernels") and quote == "<" and not path.startswith(DEVICE_STD):
            yield f"{path}: includes <{header}>; device code includes no host header"
    if path.startswith("codegen/kernels/") and not path.startswith("codegen/kernels/ptx/") and re.search(r"\basm\b", text):
        yield f"{path}: inline assembly belongs to codegen/kernels/ptx"


def main(root):
    found = []
    count = 0
    for top in ("dialects", "compiler", "codegen", "runtime", "tools", "tests"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix in (".h", ".cpp", ".cuh", ".hpp", ".c") and "target" not in file.parts:
                count += 1
                found += violations(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))
    print("\n".join(found) or f"{count} files keep the borders")
    return 1 if found or not count else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
