#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What changed since the release before, made of the commits' subjects: the word in front of the colon is a heading.

usage: changelog.py [FROM]    FROM is a tag or commit (default: the newest tag v*, else the first commit)
"""
import re
import subprocess
import sys
from collections import defaultdict

from project import ROOT, version


def git(*words):
    return subprocess.run(["git", "-C", ROOT, *words], check=True, capture_output=True, text=True).stdout


def release_before():
    """The newest tag of a release that is behind HEAD, not on it."""
    on_head = set(git("tag", "--points-at", "HEAD").split())
    return next((tag for tag in git("tag", "--merged", "HEAD", "--sort=-v:refname", "--list", "v[0-9]*").split()
                 if tag not in on_head), None)


def changelog(subjects, release, date):
    groups = defaultdict(list)
    for subject in subjects:
        head, colon, rest = subject.partition(": ")
        group, text = (head, rest) if colon and len(head) <= 40 else ("Others", subject)
        if not re.search(r"[._/-]", group):  # a file's or a program's name
            group = group[0].upper() + group[1:]
        groups[group].append(text)
    large = {name: texts for name, texts in groups.items() if len(texts) > 1 and name != "Others"}
    others = [f"{name}: {texts[0]}" for name, texts in groups.items() if name not in large and name != "Others"]
    lines = [f"# llcuda {release} ({date})", ""]
    for name in sorted(large):
        lines += [f"## {name}", "", *(f"- {text}" for text in large[name]), ""]
    if rest := sorted(others) + groups.get("Others", []):
        lines += ["## More", "", *(f"- {text}" for text in rest), ""]
    return "\n".join(lines)


def main():
    start = sys.argv[1] if len(sys.argv) > 1 else release_before()
    subjects = git("log", "--no-merges", "--format=%s", f"{start}..HEAD" if start else "HEAD").splitlines()
    print(changelog(subjects, version(), git("log", "-1", "--format=%cs").strip()))


if __name__ == "__main__":
    main()
