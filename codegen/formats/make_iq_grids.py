# SPDX-License-Identifier: Apache-2.0
"""Writes iq1_grid.inc, iq2_grids.inc and iq3_grids.inc beside this file, from the gguf package.

A grid point is 8 elements of 2 bits (IQ1, IQ2) or 4 of 3 bits (IQ3), the first in the lowest bits: an index into the
few values that the grid has, in ascending order.
"""
import pathlib

from gguf import quants

FILES = {"iq1_grid": [("kIq1Grid", quants.IQ1_S)],
         "iq2_grids": [("kIq2XxsGrid", quants.IQ2_XXS), ("kIq2XsGrid", quants.IQ2_XS), ("kIq2SGrid", quants.IQ2_S)],
         "iq3_grids": [("kIq3XxsGrid", quants.IQ3_XXS), ("kIq3SGrid", quants.IQ3_S)]}
PER_LINE = 14


def words(grid_class):
    grid_class.init_grid()
    grid = grid_class.grid.reshape(grid_class.grid_shape)
    values = list(grid_class.grid_map)
    bits = 16 // grid.shape[1] if len(values) <= 4 else 3
    return [sum(values.index(int(value)) << bits * i for i, value in enumerate(point)) for point in grid]


def table(name, grid_class):
    numbers = [f"{word:#06x}," for word in words(grid_class)]
    lines = [" ".join(numbers[i:i + PER_LINE]) for i in range(0, len(numbers), PER_LINE)]
    return f"LLCUDA_TABLE uint16_t {name}[{len(numbers)}] = {{\n" + "\n".join(lines) + "\n};\n"


for file, tables in FILES.items():
    text = "// SPDX-License-Identifier: Apache-2.0 AND MIT\n// Made by make_iq_grids.py. The tables are ggml's: LICENSE.ggml.\n"
    text += "".join("\n" + table(*entry) for entry in tables)
    (pathlib.Path(__file__).parent / f"{file}.inc").write_text(text, encoding="utf-8")
