# SPDX-License-Identifier: Apache-2.0
"""The files that commands of the documents name, tiny: prepare_files.py ROOT FOLDER"""
import pathlib
import shutil
import subprocess
import sys

root, folder = (pathlib.Path(argument) for argument in sys.argv[1:])
inputs = root / "tests/e2e/Inputs"
TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"


def make(script, *arguments):
    subprocess.run([sys.executable, inputs / script, *arguments], check=True, cwd=folder)


settings = ("--set", "llama.context_length=8192", "--set", f"tokenizer.chat_template={TEMPLATE}")
llama = ("--types", "f32", "--vocabulary", *settings)
make("tiny_llama.py", "model.gguf", *llama, "--oracle", "answers.json")
make("tiny_llama.py", "tuned.gguf", *llama, "--seed", "8")
make("tiny_llama.py", "unused.gguf", "--adapter", "adapter")
make("tiny_models.py", ".", "--families", "llama", "--folders", "--context", "8192")
(folder / "unused.gguf").unlink()
(folder / "llama").rename(folder / "folder")
for file in (inputs / "tokenizer").iterdir():
    shutil.copy(file, folder / "folder")
shutil.copy(root / "tests/compiler/transforms/FuseQkv/doctest.mlir", folder / "layer.mlir")
