#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Man pages, completion and pages of the site, all made of what the programs say with --help.

usage: command_pages.py BIN SHARE    writes SHARE/man/man1, bash-completion/completions, zsh/site-functions and
                                     fish/vendor_completions.d for the programs of the folder BIN
"""
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from project import version

# llcuda-opt is for those who work on the compiler: it lists what MLIR has.
PROGRAMS = ("llcuda-compile", "llcuda-run", "llcuda-serve", "llcuda-quantize", "llcuda-inspect", "llcuda-tokenize", "llcuda-eval",
            "llcuda-bench", "llcuda-tune", "llcuda-calibrate")


@dataclass
class Option:
    names: list[str]  # one of a positional argument
    value: str  # "PATH", "auto|cuda|host"; empty for a flag
    text: str
    note: str = ""  # what the parser adds: "required", "0 to 1023", "not with --refit"

    @property
    def positional(self):
        return not self.names[0].startswith("-")

    @property
    def choices(self):
        return self.value.split("|") if re.fullmatch(r"[\w.+-]+(\|[\w.+-]+)+", self.value) else []

    @property
    def takes_file(self):
        return bool(re.search(r"PATH|FILE|DIR|MODEL|ENGINE", self.value)) or self.names[-1] in ("--output", "--file")


@dataclass
class Section:
    title: str
    options: list[Option] = field(default_factory=list)
    note: str = ""


@dataclass
class Command:
    name: str
    summary: str
    usage: str
    sections: list[Section]
    footer: str

    @property
    def options(self):
        return [option for section in self.sections for option in section.options]


def option_of(head, text):
    """From `-c,--ctx-size UINT:UINT in [0 - 1048576] REQUIRED`, as CLI11 writes it."""
    names, _, rest = head.partition(" ")
    notes = []
    if re.search(r"\bREQUIRED\b", rest):
        rest = re.sub(r"\s*\bREQUIRED\b", "", rest)
        notes.append("required")
    for label, word in (("Needs", "with"), ("Excludes", "not with")):
        if match := re.search(rf"\s*\b{label}:((?:\s+-{{1,2}}[\w-]+)+)", rest):
            rest = rest.replace(match[0], "")
            notes.append(f"{word} {', '.join(match[1].split())}")
    if match := re.search(r"\s*\(Env:(\w+)\)", rest):
        rest = rest.replace(match[0], "")
        notes.append(f"environment {match[1]}")
    if match := re.search(r"=(\[.*?\]|\S+)", rest):
        rest = rest.replace(match[0], "")
        notes.append(f"default {match[1].strip('[]')}")
    repeated = rest.endswith("...")
    rest = rest.removesuffix("...").strip()
    kind, _, check = rest.partition(":")
    if match := re.fullmatch(r"\w+ in \[(\S+) - (\S+)\]", check):
        notes.append(f"{match[1]} to {match[2]}")
    elif match := re.fullmatch(r"\{(.*)\}", check):
        kind = match[1].replace(",", "|")
    if repeated:
        notes.append("may be repeated")
    return Option(names.split(","), kind, text, "; ".join(notes))


def parsed(name, text):
    """What a --help of CLI11 says. A line that is nothing known is an error, so that no option is lost."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("Usage:"))
    command = Command(name, " ".join(" ".join(lines[:start]).split()), lines[start].removeprefix("Usage:").strip(), [], "")
    group, last = "", None
    for line in lines[start + 1:]:
        stripped = line.strip()
        indent = len(line) - len(line.lstrip())
        if not stripped:
            continue
        if match := re.fullmatch(r"\[Option Group: (.+)\]", stripped):
            group, last = match[1], None
        elif match := re.fullmatch(r"\[(.+)\]", stripped):
            command.sections.append(Section(group, note=match[1] + ": "))
        elif indent <= 2 and re.fullmatch(r"[^-\s].*:", stripped) and "  " not in stripped:
            title = stripped[:-1]
            if not (group and command.sections and command.sections[-1].title == group):
                command.sections.append(Section(group or title))
            last = None
        elif indent >= 20 and last:
            last.text = f"{last.text} {stripped}".strip()
        elif indent in (2, 4) and command.sections:
            head, _, description = re.sub(r"(\S)\s{2,}(?=\S)", r"\1\0", stripped, count=1).partition("\0")
            last = option_of(head, description)
            command.sections[-1].options.append(last)
        elif indent == 0:
            command.footer = f"{command.footer} {stripped}".strip()
        else:
            raise SystemExit(f"command_pages: {name} --help: what is {line!r}?")
    if not command.options:
        raise SystemExit(f"command_pages: {name} --help shows no options")
    return command


def commands(folder):
    """Of every program that is there."""
    found = []
    for name in PROGRAMS:
        if (folder / name).exists():
            done = subprocess.run([folder / name, "--help"], capture_output=True, text=True, check=True)
            found.append(parsed(name, done.stdout))
    if not found:
        raise SystemExit(f"command_pages: {folder} has none of {', '.join(PROGRAMS)}")
    return found


def shown(option):
    """Its text with what the parser adds."""
    return f"{option.text} ({option.note})" if option.note else option.text


def man_page(command):
    def roff(text):
        text = text.replace("\\", r"\e").replace("-", r"\-")
        return r"\&" + text if text.startswith((".", "'")) else text

    lines = [f'.TH {command.name.upper()} 1 "" "llcuda {version()}" "User Commands"', ".SH NAME",
             roff(f"{command.name} - {command.summary.rstrip('.')}"), ".SH SYNOPSIS", f".B {roff(command.usage)}",
             ".SH OPTIONS"]
    for section in command.sections:
        if section.title not in ("Options", "Positionals"):
            lines += [f".SS {roff(section.title)}", roff(section.note.rstrip(": "))] if section.note else [f".SS {roff(section.title)}"]
        for option in section.options:
            value = f" \\fI{roff(option.value)}\\fR" if option.value else ""
            lines += [".TP", ", ".join(rf"\fB{roff(name)}\fR" for name in option.names) + value, roff(shown(option))]
    if command.footer:
        lines += [".SH NOTES", roff(command.footer)]
    lines += [".SH EXIT STATUS", roff("0 done, 1 a wrong argument, 2 a damaged file, 3 an input that this version does "
                                      "not handle, 4 values that are not the recorded ones, 5 no GPU that fits, 6 out of "
                                      "memory, 7 cancelled, 8 a failed call of the driver or the system")]
    return "\n".join(lines) + "\n"


def markdown_page(command):
    def cell(text):
        return text.replace("|", "&#124;").replace("<", "&lt;")

    lines = [f"# {command.name}", "", command.summary, "", "```text", command.usage, "```", ""]
    for section in command.sections:
        if section.title not in ("Options", "Positionals"):
            lines += [f"## {section.title[0].upper()}{section.title[1:]}", ""]
            if section.note:
                lines += [section.note.rstrip(": ") + ".", ""]
        lines += ["| option | value | meaning |", "|---|---|---|"]
        for option in section.options:
            names = ", ".join(f"`{name}`" for name in option.names)
            value = ", ".join(f"`{word}`" for word in option.choices or [option.value] if word)
            lines.append(f"| {names} | {value} | {cell(shown(option))} |")
        lines.append("")
    if command.footer:
        lines += [command.footer, ""]
    return "\n".join(lines)


def bash_completion(all_commands):
    lines = ["# bash completion of llcuda's programs", "_llcuda() {",
             '  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} flags=""',
             '  case "$1:$before" in']
    for command in all_commands:
        for option in command.options:
            if option.choices and not option.positional:
                patterns = "|".join(f"*{command.name}:{name}" for name in option.names)
                lines.append(f'    {patterns}) COMPREPLY=($(compgen -W "{" ".join(option.choices)}" -- "$current")); return ;;')
            elif option.value and option.takes_file and not option.positional:
                patterns = "|".join(f"*{command.name}:{name}" for name in option.names)
                lines.append(f'    {patterns}) COMPREPLY=($(compgen -f -- "$current")); return ;;')
    lines += ["  esac", '  case "$1" in']
    for command in all_commands:
        flags = " ".join(name for option in command.options if not option.positional for name in option.names)
        lines.append(f'    *{command.name}) flags="{flags}" ;;')
    lines += ["  esac", '  if [[ $current == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$current"))',
              '  else COMPREPLY=($(compgen -f -- "$current")); fi', "}",
              f"complete -o filenames -F _llcuda {' '.join(command.name for command in all_commands)}", ""]
    return "\n".join(lines)


def zsh_completion(all_commands):
    def quoted(text):
        return text.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")

    lines = [f"#compdef {' '.join(command.name for command in all_commands)}", "case $service in"]
    for command in all_commands:
        lines.append(f"  {command.name}) _arguments \\")
        for option in command.options:
            action = f":({' '.join(option.choices)})" if option.choices else ":_files" if option.takes_file else ":"
            value = f":{quoted(option.value.lower())}{action}" if option.value else ""
            if not option.positional:
                lines += [f"    '*{name}[{quoted(option.text)}]{value}' \\" for name in option.names]
        lines.append("    '*:file:_files' ;;")
    return "\n".join([*lines, "esac", ""])


def fish_completion(command):
    def quoted(text):
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    lines = []
    for option in command.options:
        if option.positional:
            continue
        words = ["complete", "-c", command.name]
        for name in option.names:
            words += ["-l", name[2:]] if name.startswith("--") else ["-s" if len(name) == 2 else "-o", name[1:]]
        if option.choices:
            words += ["-x", "-a", quoted(" ".join(option.choices))]
        elif option.value:
            words += ["-r" if option.takes_file else "-x"]
        lines.append(" ".join([*words, "-d", quoted(option.text)]))
    return "\n".join(["# fish completion of " + command.name, *lines, ""])


def write(share, all_commands):
    def place(path, text):
        (share / path).parent.mkdir(parents=True, exist_ok=True)
        (share / path).write_text(text, encoding="utf-8")

    for command in all_commands:
        place(f"man/man1/{command.name}.1", man_page(command))
        place(f"fish/vendor_completions.d/{command.name}.fish", fish_completion(command))
        place(f"bash-completion/completions/{command.name}", bash_completion([command]))
    place("zsh/site-functions/_llcuda", zsh_completion(all_commands))


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    write(Path(sys.argv[2]), commands(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
