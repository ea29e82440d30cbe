# SPDX-License-Identifier: Apache-2.0
"""Folders that become GGUF files: check_folder.py families WORK TOKENIZER NAME ...
                                check_folder.py vocabulary WORK TOKENIZER ...

families: tiny models, whose folders and GGUF files tiny_models.py writes from the same numbers, as q8_0 by
llcuda-quantize: the same tensors, byte by byte, and the keys that the GGUF file has.
vocabulary: a tiny llama with each tokenizer: the same ids of many texts from the folder and from the file."""
import json
import pathlib
import shutil
import subprocess
import sys

import gguf

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/e2e/Inputs"), str(ROOT / "tests/compiler/ingest")]
import mixed_text  # noqa: E402
import tiny_models  # noqa: E402


def quantize(*arguments):
    subprocess.run(["llcuda-quantize", *map(str, arguments), "--force"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def keys_of(reader):
    return {name: field.contents() for name, field in reader.fields.items()
            if not name.startswith(("GGUF.", "general.", "tokenizer."))}


def compare(name, made, wanted):
    ours, theirs = gguf.GGUFReader(made), gguf.GGUFReader(wanted)
    tensors, others = ({tensor.name: tensor for tensor in reader.tensors} for reader in (ours, theirs))
    assert tensors.keys() == others.keys(), tensors.keys() ^ others.keys()
    for tensor in theirs.tensors:
        found = tensors[tensor.name]
        assert found.tensor_type == tensor.tensor_type and (found.data == tensor.data).all(), (name, tensor.name)
    said, keys = keys_of(ours), keys_of(theirs)
    assert {key: said.get(key) for key in keys} == keys, {key: (said.get(key), keys[key]) for key in keys}
    print(f"{name}: {len(tensors)} tensors and {len(keys)} keys as in the other file")


def families(work, tokenizer, names):
    for name in names:
        model = tiny_models.Model(name)
        model.write_folder(work / name)
        model.write_gguf(work / f"{name}.gguf", "q8_0")
        quantize(work / name, work / f"{name}.q8_0.gguf", "q8_0", "--tokenizer", tokenizer)
        compare(name, work / f"{name}.q8_0.gguf", work / f"{name}.gguf")


def ids_of(path, texts):
    done = subprocess.run(["tokenize_lines", path], input=json.dumps(texts), stdout=subprocess.PIPE, text=True, check=True)
    *lines, facts = json.loads(done.stdout)
    return lines, facts


def vocabulary(work, tokenizers):
    tiny_models.VOCABULARY = 640
    texts = mixed_text.lines(2000, seed=4)
    for tokenizer in map(pathlib.Path, tokenizers):
        folder, file = work / tokenizer.name, work / f"{tokenizer.name}.gguf"
        tiny_models.Model("llama").write_folder(folder)
        for part in tokenizer.iterdir():
            shutil.copy(part, folder)
        quantize(folder, file, "f16")
        (before, said), (after, read) = ids_of(folder, texts), ids_of(file, texts)
        assert before == after, next(line for line in zip(texts, before, after) if line[1] != line[2])
        for fact in ("bos", "eos", "add_bos", "add_eos", "chat_template"):
            assert said[fact] == read[fact], (fact, said[fact], read[fact])
        keys = gguf.GGUFReader(file).fields
        print(f"{tokenizer.name}: {len(texts)} texts, same ids, {keys['tokenizer.ggml.model'].contents()} "
              f"{keys['tokenizer.ggml.pre'].contents()}, {len(keys['tokenizer.ggml.tokens'].contents())} tokens")


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    if sys.argv[1] == "families":
        families(target, sys.argv[3], sys.argv[4:])
    else:
        vocabulary(target, sys.argv[3:])
