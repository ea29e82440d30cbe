# SPDX-License-Identifier: Apache-2.0
"""exports.py PREFIX: libllcuda.so exports what llcuda.h declares; the runtime's libraries are small and
self-contained."""
import re
import subprocess
import sys
from pathlib import Path

prefix = Path(sys.argv[1])
library = next(prefix.glob("lib*/**/libllcuda.so"))
header = (prefix / "include/llcuda/llcuda.h").read_text()


def lines(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


declared = set(re.findall(r"LLCUDA_API [^;]*?\b(llcuda_\w+)\(", header))
exported = {line.split()[2].split("@")[0] for line in lines("nm", "-D", "--defined-only", str(library)) if " T " in line}
assert declared and exported == declared, f"declared only: {declared - exported}, exported only: {exported - declared}"
assert any("libllcuda.so.3.0" in line and "SONAME" in line for line in lines("readelf", "-d", str(library)))

for program in [library, prefix / "bin/llcuda-run"]:
    needed = " ".join(lines("ldd", str(program)))
    for word in ("MLIR", "LLVM", "libcuda", "nvrtc", "not found"):
        assert word not in needed, f"{program.name} needs {word}: {needed}"

total = 0
for file in (library, next(prefix.glob("lib*/**/libllcuda-hostsim.so"))):
    stripped = Path(sys.argv[1]) / (file.name + ".stripped")
    lines("strip", "-o", str(stripped), str(file))
    total += stripped.stat().st_size
assert total <= 15_000_000, f"{total} bytes"
