# SPDX-License-Identifier: Apache-2.0
"""Runs the cells of a notebook, with other settings after the cell `settings`.

usage: run_notebook.py NOTEBOOK [--without TAG] [NAME=VALUE...]    values are Python; cells of TAG are compiled alone

Of IPython's additions there is `%pip install ...`, a line of its own, with $NAME for a variable; and a cell's last
expression is shown, as text and as HTML where it has that.
"""
import argparse
import ast
import json
import re
import shlex
import subprocess
import sys

PIP = re.compile(r"^%pip (install .*)$", re.M)


def check_form(notebook):
    assert notebook["nbformat"] == 4 and notebook["nbformat_minor"] >= 5 and "metadata" in notebook
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    for cell in notebook["cells"]:
        assert cell["cell_type"] in ("code", "markdown") and all(isinstance(line, str) for line in cell["source"])
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None, "a notebook is committed without outputs"


def pip(names, arguments):
    words = [re.sub(r"\$(\w+)", lambda name: str(names[name[1]]), word) for word in shlex.split(arguments)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)


def compiled(cell):
    text = PIP.sub(lambda line: f"pip({line[1]!r})", "".join(cell["source"]))
    tree = ast.parse(text, cell["id"])
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        shown = ast.Call(ast.Name("display", ast.Load()), [tree.body[-1].value], [])
        tree.body[-1] = ast.fix_missing_locations(ast.copy_location(ast.Expr(shown), tree.body[-1]))
    return compile(tree, cell["id"], "exec")


def display(value):
    if value is not None:
        print(value)
        html = getattr(value, "_repr_html_", lambda: None)()
        assert html is None or html.startswith("<"), html


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("notebook")
    parser.add_argument("--without")
    parser.add_argument("settings", nargs="*")
    given = parser.parse_intermixed_args()
    with open(given.notebook, encoding="utf-8") as file:
        notebook = json.load(file)
    check_form(notebook)
    names = {"__name__": "__main__", "display": display}
    names["pip"] = lambda arguments: pip(names, arguments)
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        code = compiled(cell)
        if given.without not in cell["metadata"].get("tags", []):
            print(f"# {cell['id']}", flush=True)
            exec(code, names)
        if cell["id"] == "settings":
            for setting in given.settings:
                name, value = setting.split("=", 1)
                assert name in names, f"the settings have no {name}"
                names[name] = ast.literal_eval(value)


if __name__ == "__main__":
    main()
