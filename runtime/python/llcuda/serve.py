# SPDX-License-Identifier: Apache-2.0
"""python -m llcuda.serve MODEL [FLAGS]: llcuda-serve of the package."""
import sys

from ._tools import run

if __name__ == "__main__":
    run("llcuda-serve", sys.argv[1:])
