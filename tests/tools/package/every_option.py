# SPDX-License-Identifier: Apache-2.0
"""every_option.py BIN SHARE: each option of --help is in the man page and in each shell's completion."""
import pathlib
import re
import subprocess
import sys

binaries, share = (pathlib.Path(argument) for argument in sys.argv[1:])
zsh = (share / "zsh/site-functions/_llcuda").read_text(encoding="utf-8")
missing = []
pages = sorted((share / "man/man1").glob("*.1"))
assert len(pages) >= 8, pages
for page in pages:
    name = page.stem
    help_text = subprocess.run([binaries / name, "--help"], check=True, capture_output=True, text=True).stdout
    names = {part for head in re.findall(r"^ {2,4}(-\S+)", help_text, flags=re.M) for part in head.split(",")}
    assert "--help" in names and len(names) > 3, names
    bash = (share / f"bash-completion/completions/{name}").read_text(encoding="utf-8")
    fish = (share / f"fish/vendor_completions.d/{name}.fish").read_text(encoding="utf-8")
    man = page.read_text(encoding="utf-8").replace(r"\-", "-")
    mine = zsh.split(f"  {name}) ")[1].split(";;")[0]
    for option in sorted(names):
        word = option.lstrip("-")
        there = {"man": rf"\fB{option}\fR" in man, "bash": re.search(rf'[" ]{option}[" ]', bash),
                 "zsh": f"'*{option}[" in mine, "fish": re.search(rf"-[lso] {re.escape(word)} ", fish)}
        missing += [f"{name}: {option} is not in {shell}" for shell, found in there.items() if not found]
print("\n".join(missing))
sys.exit(bool(missing))
