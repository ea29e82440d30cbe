# SPDX-License-Identifier: Apache-2.0
"""Reads every #include line of the project and refuses those that cross a border of docs/architecture.md, by way
of other headers too.

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
    **dict.fromkeys(MLIR_MODELS, COMPILER),
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
    # A client of the C interface as anyone's.
    "runtime/server": ("runtime/server/", "llcuda/"),
}
# What a room may see only by way of the one header that the rule above names.
THROUGH = {"codegen/kernels": ("runtime/base/hostsim_abi.h",)}
MLIR_ROOMS = MLIR_MODELS + ("dialects", "compiler/transforms", "compiler/conversion", "compiler/reference",
              "compiler/emit", "compiler/pipeline", "tools/llcuda-compile", "tools/llcuda-opt", "tools/llcuda-eval", "tests")
PROJECT = ("dialects/", "compiler/", "codegen/", "runtime/", "tools/", "tests/", "llcuda/")
# Standard headers have no place in device code, except where base/ and ptx/ talk to the host.
DEVICE_STD = ("codegen/kernels/base/", "codegen/kernels/ptx/", "codegen/kernels/block/")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)


def room_of(path, rooms):
    matches = [room for room in rooms if path == room or path.startswith(room + "/")]
    return max(matches, key=len, default=None)


class Includes:
    """Who includes what, by path from the root."""

    def __init__(self, texts):
        self.lines = {path: INCLUDE.findall(text) for path, text in texts.items()}

    def path_of(self, header):
        """A header's file; None for one that is generated or not the project's."""
        for path in (header, "runtime/include/" + header):
            if path in self.lines:
                return path
        return None

    def seen_from(self, path):
        """{header: the headers between, from the file's own line on}, those of its own lines first."""
        seen, files, todo = {}, {path}, [(path, ())]
        for file, way in todo:
            for _, header in self.lines[file]:
                if header in seen:
                    continue
                seen[header] = way
                target = self.path_of(header)
                if target and target not in files:
                    files.add(target)
                    todo.append((target, (*way, header)))
        return seen


def way_text(header, way):
    return header if not way else f"{header} by way of {', '.join(way)}"


def violations(path, text, includes):
    room = room_of(path, ROOMS)
    for header, way in includes.seen_from(path).items():
        if header.startswith(MLIR[:2]) and not room_of(path, MLIR_ROOMS):
            yield f"{path}: includes {way_text(header, way)}; MLIR belongs to the compiler's rooms"
            break  # one way says it
        if room and header.startswith(PROJECT) and not header.startswith(ROOMS[room] + THROUGH.get(room, ())):
            yield f"{path}: includes {way_text(header, way)}; {room} may include {', '.join(ROOMS[room])}"
    for quote, header in includes.lines[path]:
        if room and room.startswith("codegen/kernels") and quote == "<" and not path.startswith(DEVICE_STD):
            yield f"{path}: includes <{header}>; device code includes no host header"
    if path.startswith("codegen/kernels/") and not path.startswith("codegen/kernels/ptx/") and re.search(r"\basm\b", text):
        yield f"{path}: inline assembly belongs to codegen/kernels/ptx"


def sources(root):
    """{path from the root: text} of every source and header."""
    texts = {}
    for top in ("dialects", "compiler", "codegen", "runtime", "tools", "tests"):
        for file in sorted((root / top).rglob("*")):
            if file.suffix in (".h", ".cpp", ".cuh", ".hpp", ".c") and "target" not in file.parts:
                texts[file.relative_to(root).as_posix()] = file.read_text(encoding="utf-8")
    return texts


def main(root):
    texts = sources(root)
    includes = Includes(texts)
    found = [fault for path, text in texts.items() for fault in violations(path, text, includes)]
    print("\n".join(found) or f"{len(texts)} files keep the borders")
    return 1 if found or not texts else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
