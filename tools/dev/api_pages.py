# SPDX-License-Identifier: Apache-2.0
"""Pages of the site for the Python package, made of its signatures and docstrings; nothing is imported."""
import ast
import inspect
import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "runtime/python/llcuda"
MODULES = ("llcuda", "llcuda.unsloth", "llcuda.models", "llcuda.gguf_parser", "llcuda.quantization", "llcuda.core",
           "llcuda.server.batching", "llcuda.compat")
PARAMETER = re.compile(r"([\w*, ]*\w)\s{2,}(\S.*)")


def file_of(module):
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def tree_of(file):
    return ast.parse(file.read_text(encoding="utf-8"))


def exported(tree):
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "__all__" for target in node.targets):
            return ast.literal_eval(node.value)
    return [node.name for node in tree.body
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_")]


def definition(file, name):
    """The class or function of the name in a file, or where the file imports it from; None for a plain value."""
    tree = tree_of(file)
    for node in tree.body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
            return node
        if isinstance(node, ast.ImportFrom) and node.level and any((a.asname or a.name) == name for a in node.names):
            folder = file.parents[node.level - 1]
            source = folder.joinpath(*(node.module or "").split(".")).with_suffix(".py")
            return definition(source, name) if source.is_file() else None
    return None


def prose(text):
    """A docstring as Markdown: lines of `name  meaning` are a list, indented lines stay as they are."""
    lines, listed = [], False
    for line in inspect.cleandoc(text).splitlines():
        match = PARAMETER.fullmatch(line)
        if match:
            lines += [] if listed else [""]
            lines.append(f"- `{match[1]}`: {match[2]}")
            listed = True
        elif listed and line.startswith("  "):
            lines.append("  " + line.strip())
        else:
            listed = False
            lines.append(line)
    return "\n".join(lines).replace("<", "&lt;")


def signature(node, owner=""):
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        return f"class {node.name}({bases})" if bases else f"class {node.name}"
    given = ast.unparse(node.args)
    given = re.sub(r"^self(, )?", "", given) if owner else given
    returned = f" -> {ast.unparse(node.returns)}" if node.returns and node.name != "__init__" else ""
    start = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    name = owner if node.name == "__init__" else f"{owner}.{node.name}" if owner else node.name
    return f"{name}({given})" if node.name == "__init__" else f"{start} {name}({given}){returned}"


def decorated(node, name):
    return any(ast.unparse(decorator).split("(")[0].split(".")[-1] == name for decorator in node.decorator_list)


def members(node):
    """Its constructor, public methods and properties, and the fields of a dataclass."""
    fields = [f"{ast.unparse(child.target)}: {ast.unparse(child.annotation)}" for child in node.body
              if isinstance(child, ast.AnnAssign) and not ast.unparse(child.target).startswith("_")]
    if fields:
        yield "```text\n" + "\n".join(fields) + "\n```\n"
    for child in node.body:
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if child.name.startswith("_") and child.name != "__init__":
            continue
        if decorated(child, "property"):
            returned = f": {ast.unparse(child.returns)}" if child.returns else ""
            yield f"```text\n{node.name}.{child.name}{returned}\n```\n"
        else:
            yield f"```python\n{signature(child, node.name)}\n```\n"
        if text := ast.get_docstring(child, clean=False):
            yield prose(text) + "\n"


def page(module):
    """The Markdown of a module: what `__all__` names, in that order."""
    file = file_of(module)
    tree = tree_of(file)
    about = inspect.cleandoc(ast.get_docstring(tree, clean=False) or "")
    parts = [f"# {module}\n"]
    for paragraph in about.split("\n\n"):
        code = all(line.startswith("    ") for line in paragraph.splitlines())
        parts.append(f"```python\n{inspect.cleandoc(paragraph)}\n```\n" if code else prose(paragraph) + "\n")
    for name in exported(tree):
        node = definition(file, name)
        if node is None:
            if not name.startswith("__") and name != "Options":
                raise SystemExit(f"api_pages: {module}.{name} is defined nowhere")
            continue
        text = ast.get_docstring(node, clean=False)
        if not text and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            raise SystemExit(f"api_pages: {module}.{name} has no docstring")
        parts.append(f"## {name}\n\n```python\n{signature(node)}\n```\n")
        if text:
            parts.append(prose(text) + "\n")
        if isinstance(node, ast.ClassDef):
            parts += members(node)
    return "\n".join(parts)
