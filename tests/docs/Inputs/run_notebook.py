# SPDX-License-Identifier: Apache-2.0
"""Runs the cells of a notebook, with other settings after the cell `settings`.

usage: run_notebook.py NOTEBOOK [NAME=VALUE...]    values are Python
"""
import ast
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    notebook = json.load(file)
assert notebook["nbformat"] == 4 and notebook["nbformat_minor"] >= 5 and "metadata" in notebook
assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])

names = {"__name__": "__main__"}
for cell in notebook["cells"]:
    assert cell["cell_type"] in ("code", "markdown") and all(isinstance(line, str) for line in cell["source"])
    if cell["cell_type"] == "code":
        assert cell["outputs"] == [] and cell["execution_count"] is None, "a notebook is committed without outputs"
        exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    if cell["id"] == "settings":
        for setting in sys.argv[2:]:
            name, value = setting.split("=", 1)
            assert name in names, f"the settings have no {name}"
            names[name] = ast.literal_eval(value)
