# SPDX-License-Identifier: Apache-2.0
"""Comments, docstrings and documents within 120 columns: finds lines that are longer, and wraps them.

usage: comment_width.py FILE...     wraps what is too long, in place; check_style.py only looks

What is too much for a line goes to the front of the next one if that goes on with the same text, else to a line of its
own. Code, strings, tables and fences stay as they are.
"""
import io
import pathlib
import re
import sys
import textwrap
import tokenize

WIDTH = 120
SLASHES = {".h", ".cpp", ".hpp", ".cuh", ".c", ".inc", ".td", ".fbs", ".rs"}
HASHES = {".cmake", ".txt", ".toml", ""}
COMMENT = re.compile(r"^(?P<code>.*?)(?P<sign>//[/!]?<?|#+)(?P<space> +)(?P<text>\S.*)$")


def long_lines(path, text):
    """Numbers, from 0, of the lines whose comment or text passes the width."""
    lines = text.split("\n")
    too_long = [i for i, line in enumerate(lines) if len(line) > WIDTH]
    if not too_long:
        return []
    suffix = path.suffix
    if suffix == ".md":
        shown = document_lines(lines)
    elif suffix == ".py":
        comments, docstrings = python_lines(text)
        shown = comments | docstrings
    elif suffix in SLASHES:
        shown = {i for i in too_long if slash_comment(lines[i])} | (descriptions(lines) if suffix == ".td" else set())
    elif suffix in HASHES:
        shown = {i for i in too_long if lines[i].lstrip().startswith("#")}
    else:
        shown = set()
    return [i for i in too_long if i in shown]


def slash_comment(line):
    """Whether the line has a comment that no string holds."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', lambda match: '"' * len(match[0]), line)
    return "//" in bare and "R\"" not in line


def descriptions(lines):
    """Lines of text between [{ and }] of a TableGen file, without its examples."""
    inside = fenced = False
    found = set()
    for i, line in enumerate(lines):
        if inside and line.strip().startswith("```"):
            fenced = not fenced
        if inside and not fenced and "}]" not in line:
            found.add(i)
        inside = (inside or line.rstrip().endswith("[{")) and "}]" not in line
    return found


def document_lines(lines):
    fenced, found = False, set()
    for i, line in enumerate(lines):
        if line.startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith(("|", "<!--")):
            found.add(i)
    return found


def python_lines(text):
    """Lines of comments, and of strings that stand alone, as docstrings do."""
    comments, docstrings, before = set(), set(), None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        alone = before in (None, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
        if token.type == tokenize.COMMENT:
            comments.add(token.start[0] - 1)
        elif token.type == tokenize.STRING and alone:
            docstrings.update(range(token.start[0] - 1, token.end[0]))
        if token.type not in (tokenize.NL, tokenize.COMMENT):
            before = token.type
    return comments, docstrings


def prefix_of(path, line, is_comment):
    """What the rest of a long line has in front of it, on a line of its own."""
    match = COMMENT.match(line)
    if match and (slash_comment(line) if path.suffix in SLASHES else is_comment):
        sign = match["sign"] + match["space"]
        table = re.match(r"\S[^.]{0,20}? {2,}", match["text"]) if not match["code"].strip() else None
        return " " * len(match["code"]) + sign + " " * (len(table[0]) if table else 0)
    if path.suffix in HASHES or line.lstrip().startswith("#"):
        return re.match(r"\s*#+\s*", line)[0]
    item = re.match(r"\s*(?:[-*]|\d+\.) +", line)
    return " " * (len(item[0]) if item else len(line) - len(line.lstrip()))


def wrapped(path, text):
    lines = text.split("\n")
    while found := long_lines(path, "\n".join(lines)):
        i = found[0]
        comments = python_lines("\n".join(lines))[0] if path.suffix == ".py" else set()
        prefix = prefix_of(path, lines[i], i in comments)
        cut = lines[i].rfind(" ", len(prefix), WIDTH + 1)
        if cut <= len(prefix):
            raise SystemExit(f"{path}:{i + 1}: no place to break the line")
        rest, lines[i] = lines[i][cut + 1:], lines[i][:cut].rstrip()
        following = lines[i + 1] if i + 1 < len(lines) else ""
        goes_on = '"""' not in rest and following.startswith(prefix) and re.match(r"[A-Za-z0-9`(\"']", following[len(prefix):])
        if goes_on and not re.match(r"\s*(?:[-*|]|\d+\.) ", following) and "  " not in following[len(prefix):].strip():
            lines[i + 1] = f"{prefix}{rest} {following[len(prefix):]}"
        else:
            lines.insert(i + 1, prefix + rest)
    return "\n".join(lines)


def reflowed(path, text):
    """A document: paragraphs with a long line are filled anew, so that no short line is left among long ones."""
    if path.suffix != ".md":
        return wrapped(path, text)
    blocks, fenced = re.split(r"(\n\s*\n)", text), False
    for i, block in enumerate(blocks):
        if not fenced and "```" not in block and long_lines(path, block):
            blocks[i] = "\n".join(filled(part) for part in items(block))
        fenced ^= block.count("```") % 2 == 1
    return "".join(blocks)


def items(block):
    """The entries of a list, or the one paragraph; tables, headings and marks as they are."""
    parts = []
    for line in block.split("\n"):
        if parts and not re.match(r"(?:\s*(?:[-*]|\d+\.) )|[|#<]", line) and not parts[-1].startswith(("|", "#", "<")):
            parts[-1] += "\n" + line
        else:
            parts.append(line)
    return parts


def filled(part):
    if part.startswith(("|", "#", "<")) or not part.strip():
        return part
    first = re.match(r"\s*(?:(?:[-*]|\d+\.) +)?", part)[0]
    return textwrap.fill(" ".join(part[len(first):].split()), WIDTH, initial_indent=first,
                         subsequent_indent=" " * len(first), break_long_words=False, break_on_hyphens=False)


def main(names):
    for path in map(pathlib.Path, names):
        text = path.read_text(encoding="utf-8")
        if new := reflowed(path, text) if long_lines(path, text) else "":
            path.write_text(new.rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
