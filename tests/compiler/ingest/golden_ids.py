# SPDX-License-Identifier: Apache-2.0
"""Token ids of many lines, compared with those of llama.cpp.

golden_ids.py make MODEL GOLDEN.json [LINES]   writes the golden file (needs the xllamacpp package)
golden_ids.py check MODEL GOLDEN.json          compares the golden file with tokenize_lines
golden_ids.py compare LINES MODEL...           compares tokenize_lines with llama.cpp (needs the xllamacpp package)
golden_ids.py digest GOLDEN.json LINES MODEL...   writes hashes of the ids of many models (needs the xllamacpp package)
golden_ids.py match GOLDEN.json FOLDER         compares them with tokenize_lines over the models in a folder
"""
import hashlib
import json
import pathlib
import subprocess
import sys

import mixed_text


def ours(model, lines):
    run = subprocess.run(["tokenize_lines", model], input=json.dumps(lines), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(run.stdout)


def theirs(model, lines):
    import llama_ids
    vocabulary = llama_ids.Vocabulary(model)
    result = [[vocabulary.ids(line), vocabulary.ids(line, parse_special=False)] for line in lines]
    return result, vocabulary.end_of_generation()


def differences(lines, mine, golden):
    for line, got, wanted in zip(lines, mine, golden):
        for mode, a, b in zip(("special tokens parsed", "plain text"), got, wanted):
            if a != b:
                yield f"{line!r} ({mode})\n  got    {a}\n  wanted {b}"


def report(name, lines, mine, golden, end_of_generation):
    """Prints what differs, answers whether anything does."""
    found = list(differences(lines, mine, golden))
    if mine[-1]["end_of_generation"] != end_of_generation:
        found.append(f"end of generation: got {mine[-1]['end_of_generation']}, wanted {end_of_generation}")
    print(f"{name}: {len(lines)} lines, {len(found)} differences", *found[:5], sep="\n")
    return bool(found)


def make(model, path, count="400"):
    lines = mixed_text.lines(int(count))
    ids, end_of_generation = theirs(model, lines)
    # The second list is stored only where it differs.
    entries = [[line, a] if a == b else [line, a, b] for line, (a, b) in zip(lines, ids)]
    with open(path, "w") as file:
        file.write('{"end_of_generation": ' + json.dumps(end_of_generation) + ', "lines": [\n')
        file.write(",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries) + "\n]}\n")


def check(model, path):
    with open(path) as file:
        golden = json.load(file)
    lines = [entry[0] for entry in golden["lines"]]
    ids = [entry[1:] if len(entry) == 3 else [entry[1], entry[1]] for entry in golden["lines"]]
    assert lines, "the golden file is empty"
    return report(model, lines, ours(model, lines), ids, golden["end_of_generation"])


def compare(count, *models):
    lines = mixed_text.lines(int(count))
    wrong = [report(model, lines, ours(model, lines), *theirs(model, lines)) for model in models]  # of every model
    return any(wrong)


def hashed(ids, end_of_generation):
    """`ids` are pairs: with special tokens parsed, and as plain text."""
    texts = [[a for a, _ in ids], [b for _, b in ids], end_of_generation]
    return hashlib.sha256(json.dumps(texts, separators=(",", ":")).encode()).hexdigest()


def digest(path, count, *models):
    lines = mixed_text.lines(int(count))
    hashes = {pathlib.Path(model).name: hashed(*theirs(model, lines)) for model in models}
    with open(path, "w") as file:
        json.dump({"lines": int(count), "hashes": hashes}, file, indent=1)
        file.write("\n")


def match(path, folder):
    with open(path) as file:
        golden = json.load(file)
    lines = mixed_text.lines(golden["lines"])
    same = 0
    for name, wanted in golden["hashes"].items():
        *ids, facts = ours(f"{folder}/{name}", lines)
        if hashed([line[:2] for line in ids], facts["end_of_generation"]) == wanted:
            same += 1
        else:
            print(f"{name}: other ids; golden_ids.py compare says which")
    print(f"{same} of {len(golden['hashes'])} vocabularies give the same ids for {len(lines)} lines")


if __name__ == "__main__":
    sys.exit({"make": make, "check": check, "compare": compare, "digest": digest, "match": match}[sys.argv[1]](*sys.argv[2:]))
