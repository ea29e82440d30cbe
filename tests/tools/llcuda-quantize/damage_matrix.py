# SPDX-License-Identifier: Apache-2.0
"""damage_matrix.py LLCUDA_QUANTIZE MODEL MATRIX: cut and changed matrices are refused with exit code 2, or taken;
nothing else happens."""
import pathlib
import random
import subprocess
import sys

tool, model, matrix = sys.argv[1:]
whole = pathlib.Path(matrix).read_bytes()
numbers = random.Random(5)
cases = [b"", whole[:3], whole[:-30], whole[: len(whole) // 2], b"\xff" * 64, whole[:4] + b"\x7f" * 4 + whole[8:]]
for _ in range(40):
    place = numbers.randrange(200)
    cases.append(whole[:place] + bytes([numbers.randrange(256)]) + whole[place + 1:])
refused = 0
for case in cases:
    pathlib.Path("damaged").write_bytes(case)
    done = subprocess.run([tool, "--dry-run", "--imatrix", "damaged", model, "x.gguf", "q4_0", "1"], capture_output=True,
                          text=True)
    assert done.returncode in (0, 2), (done.returncode, done.stderr)
    assert (done.returncode == 2) == done.stderr.startswith("llcuda-quantize: "), done.stderr
    refused += done.returncode == 2
print(f"{len(cases)} damaged matrices: {refused} refused")
