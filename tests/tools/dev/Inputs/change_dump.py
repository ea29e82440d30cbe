# SPDX-License-Identifier: Apache-2.0
"""change_dump.py DUMP OUT OP COLUMN BY: adds BY to a column of every kernel of an op. BY is `rename` for other names of
all, `other` for other code, `without` for a dump whose decode phase lacks the launches of the op."""
import json
import sys

source, out, op, column, by = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    dump = json.load(file)
at = dump["columns"].index(column)
for model in dump["models"].values():
    for number, kernel in enumerate(model["kernels"]):
        if by == "rename":
            kernel[at] = f"k{number}"
        elif kernel[0] == op and by == "other":
            kernel[at] = "0" * 16
        elif kernel[0] == op and by != "without":
            kernel[at] += int(by)
    if by == "without":
        layers = model["phases"]["decode-1"]["layers"]
        for kind in layers:
            layers[kind] = [launch for launch in layers[kind] if model["kernels"][launch[0]][0] != op]
with open(out, "w", encoding="utf-8") as file:
    json.dump(dump, file)
