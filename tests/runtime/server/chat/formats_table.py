# SPDX-License-Identifier: Apache-2.0
"""The table of docs/chat.md, from the records that chat_format_test compares with (Inputs/formats.json).

usage: formats_table.py [--check] DOCUMENT

Writes the table between the document's two markers; --check: fails where it is another one.
"""
import json
import pathlib
import sys

BEGIN, END = "<!-- formats: begin -->\n", "<!-- formats: end -->\n"


def cell(text):
    shown = text.replace("\n", "\\n").replace("|", "\\|")
    ticks = "````" if "`" in shown else "`"
    space = " " if "`" in shown else ""
    return f"{ticks}{space}{shown}{space}{ticks}" if shown else ""


def call(record):
    if record.get("generic"):
        return "generic"
    text = record.get("section", "")
    for part in record["call"]:
        text += part if isinstance(part, str) else "{..}" if part in (["object"], ["arguments"]) else "NAME" \
            if part == ["name"] else part[0].upper()
    return cell(text + record.get("sectionEnd", ""))


def table():
    records = json.loads((pathlib.Path(__file__).parent / "Inputs/formats.json").read_text(encoding="utf-8"))
    rows = ["| template | style | a call | several | reasoning |", "|---|---|---|---|---|"]
    for name, record in records.items():
        thought = record.get("reasoning", "")
        rows.append(f"| {name} | {record['style']} | {call(record)} | {'yes' if record.get('parallel') else ''} | "
                    f"{cell(thought.strip() + '..' + record['reasoningEnd'].strip()) if thought else ''} |")
    return "\n".join(rows) + "\n"


def main(arguments):
    check = "--check" in arguments
    path = pathlib.Path(arguments[-1])
    text = path.read_text(encoding="utf-8")
    front, rest = text.split(BEGIN)
    made = front + BEGIN + table() + END + rest.split(END)[1]
    if check:
        print("the table is that of the records" if made == text else f"{path}: run formats_table.py on it")
        return 0 if made == text else 1
    path.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
