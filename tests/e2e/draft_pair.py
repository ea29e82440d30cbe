# SPDX-License-Identifier: Apache-2.0
"""What guesses are worth on real text, by a T4's step costs: draft_pair.py SPECULATION_AGREES ENGINE DRAFT

Every text is that without guesses, n-grams and the draft together make code edits and summaries 1.3 times as fast at
least, and nothing is slower than 0.97 times."""
import pathlib
import re
import subprocess
import sys

PROMPTS = pathlib.Path(__file__).resolve().parent / "Inputs/drafts"
TOKENS = "160"
# The least that is asked of n-grams and draft together.
WANTED = {"edit": 1.3, "extend": 1.3, "summary": 1.3, "story": 0.97}


def measured(program, engine, prompt, *how):
    """(tokens a step, times as fast, guessed, right)"""
    done = subprocess.run([program, *how, engine, PROMPTS / f"{prompt}.txt", TOKENS], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{prompt}: {done.stdout}{done.stderr}")
    right, guessed, other = map(int, re.search(r"(\d+) of (\d+) guessed right, (\d+) other", done.stdout).groups())
    assert other == 0, done.stdout
    a_step, faster = map(float, re.search(r"(\S+) tokens a step, (\S+) times as fast", done.stdout).groups())
    return a_step, faster, guessed, right


def main(program, engine, draft):
    missed = []
    for prompt, least in WANTED.items():
        for name, how in (("n-grams", ()), ("draft", ("-md", draft, "--alone")), ("both", ("-md", draft))):
            a_step, faster, guessed, right = measured(program, engine, prompt, *how)
            print(f"{prompt}, {name}: {guessed} guesses, {right} right, {a_step} tokens a step, {faster} times as fast", flush=True)
            if faster < (least if name == "both" else 0.97):
                missed.append(f"{prompt}, {name}: {faster}")
    if missed:
        raise SystemExit(f"too slow: {missed}")


if __name__ == "__main__":
    main(*sys.argv[1:])
