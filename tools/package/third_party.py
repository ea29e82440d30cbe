#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What others wrote and the programs and libraries hold: Debian's packages whose headers and static libraries they were
built of, and Rust's crates. Nothing is listed by hand: the build itself says what went in.

usage: third_party.py BUILD OUT    writes OUT/THIRD_PARTY, every licence in full, and OUT/llcuda.spdx.json, the same as
                                   SPDX 2.3; BUILD is a build folder of Ninja
"""
import datetime
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from project import ROOT, version

PROGRAMS = ("compile", "run", "serve", "inspect", "tokenize", "eval", "bench", "tune", "quantize")
CRATES = ("runtime/text/rust", "runtime/server/http/rust")
# Interfaces alone, which leave no code in a program: the C library, which is linked dynamically, and the kernel.
INTERFACES = {"libc6-dev", "linux-libc-dev", "libcrypt-dev", "libgcc-12-dev", "gcc-12"}
# Files of the project that were made from another project's, and its licence.
WITHIN = {"ggml (tables of codegen/formats)": ("codegen/formats/LICENSE.ggml", "MIT")}


@dataclass(frozen=True, order=True)
class Part:
    name: str
    version: str
    kind: str  # "Debian package", "crate", "source"
    license: str  # an SPDX expression; empty where only the text says it
    text: str

    @property
    def key(self):
        return re.sub(r"[^A-Za-z0-9.-]+", "-", f"{self.kind.split()[-1]}-{self.name}-{self.version}").strip("-")


def output(*command, **how):
    return subprocess.run(command, check=True, capture_output=True, text=True, **how).stdout


def targets(build):
    """The programs and libraries that are installed, as Ninja names them."""
    names = [f"bin/llcuda-{name}" for name in PROGRAMS if (build / "bin" / f"llcuda-{name}").exists()]
    names += [str(path.relative_to(build)) for path in sorted((build / "lib").glob("libllcuda*.so*")) if not path.is_symlink()]
    if not names:
        raise SystemExit(f"third_party: {build} has no programs; build it first")
    return names


def files_used(build):
    """Headers that the objects read and libraries that were linked statically."""
    inputs = set(output("ninja", "-C", build, "-t", "inputs", *targets(build)).splitlines())
    objects = sorted(name for name in inputs if name.endswith(".o"))
    used = set()
    for start in range(0, len(objects), 200):
        for line in output("ninja", "-C", build, "-t", "deps", *objects[start:start + 200]).splitlines():
            if line.startswith("    "):
                used.add(line.strip())
    used |= {name for name in inputs if name.endswith(".a")}
    for line in output("ninja", "-C", build, "-t", "commands", *targets(build)).splitlines():
        statically = False
        for word in line.split():
            statically = {"-Wl,-Bstatic": True, "-Wl,-Bdynamic": False}.get(word, statically)
            if word.startswith("-l") and statically:
                used |= {str(path) for folder in ("/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu")
                         if (path := Path(folder, f"lib{word[2:]}.a")).exists()}
    return {os.path.normpath(os.path.join(build, name)) for name in used}


def debian_packages(files):
    """The packages that the files outside the project belong to."""
    outside = sorted(path for path in files if path.startswith(("/usr/", "/lib/")))
    found = set()
    for start in range(0, len(outside), 500):
        piece = outside[start:start + 500]
        real = sorted({*piece, *(os.path.realpath(path) for path in piece)})
        done = subprocess.run(["dpkg-query", "-S", *real], capture_output=True, text=True)
        found |= {line.split(": ")[0].split(",")[0].split(":")[0] for line in done.stdout.splitlines()
                  if not line.startswith("diversion ")}
    return found - INTERFACES


def debian_part(package):
    installed = output("dpkg-query", "-W", "-f=${Version}", package)
    copyright_file = Path("/usr/share/doc", package, "copyright")
    if not copyright_file.exists():
        raise SystemExit(f"third_party: {copyright_file} is not there, and {package} is linked")
    return Part(package, installed, "Debian package", "", copyright_file.read_text(encoding="utf-8", errors="replace"))


def license_files(folder):
    return sorted(path for path in folder.iterdir()
                  if path.is_file() and re.match(r"(LICEN[CS]E|COPYING|NOTICE|UNLICENSE|COPYRIGHT)", path.name, re.I))


def crate_parts(manifest):
    """What a crate's library holds: what it depends on to run, on this platform."""
    cargo = shutil.which("cargo") or str(Path.home() / ".cargo/bin/cargo")
    metadata = json.loads(output(cargo, "metadata", "--format-version", "1", "--locked", "--offline",
                                 "--filter-platform", "x86_64-unknown-linux-gnu", "--manifest-path", manifest))
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    todo, seen = [metadata["resolve"]["root"]], set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += [dependency["pkg"] for dependency in nodes[name]["deps"]
                     if any(kind["kind"] is None for kind in dependency["dep_kinds"])]
    for name in seen - {metadata["resolve"]["root"]}:
        package = packages[name]
        texts = license_files(Path(package["manifest_path"]).parent)
        if not package["license"] and not texts:
            raise SystemExit(f"third_party: the crate {package['name']} says no licence")
        text = "\n\n".join(file.read_text(encoding="utf-8", errors="replace") for file in texts)
        spdx = " ".join((package["license"] or "").replace("/", " OR ").split())
        yield Part(package["name"], package["version"], "crate", spdx, text or f"Licence: {package['license']}")


def parts(build):
    found = {debian_part(package) for package in debian_packages(files_used(build))}
    for crate in CRATES:
        found |= set(crate_parts(ROOT / crate / "Cargo.toml"))
    for name, (file, spdx) in WITHIN.items():
        found.add(Part(name, "", "source", spdx, (ROOT / file).read_text(encoding="utf-8")))
    return sorted(found)


def by_text(found):
    """Each text once, and whose it is: most crates have the same."""
    owners = {}
    for part in found:
        owners.setdefault("\n".join(line.rstrip() for line in part.text.strip().splitlines()), []).append(part)
    return owners


def notices(found):
    head = [f"llcuda {version()} holds code of the following. What each of them asks for stands behind its name; the",
            "licence of llcuda itself is in LICENSE.", ""]
    lines = [f"  {part.name} {part.version} ({part.kind}{', ' + part.license if part.license else ''})" for part in found]
    bodies = []
    for text, owners in by_text(found).items():
        names = textwrap.fill(", ".join(f"{part.name} {part.version}".strip() for part in owners), 100)
        bodies.append(f"\n{'=' * 100}\n{names}\n{'=' * 100}\n\n{text}\n")
    return "\n".join([*head, *lines, *bodies])


def license_reference(text):
    return f"LicenseRef-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def spdx_package(part):
    declared = part.license or license_reference(part.text)
    where = {"crate": f"pkg:cargo/{part.name}@{part.version}",
             "Debian package": f"pkg:deb/debian/{part.name}@{part.version}"}.get(part.kind)
    package = {"SPDXID": f"SPDXRef-{part.key}", "name": part.name, "downloadLocation": "NOASSERTION",
               "filesAnalyzed": False, "licenseConcluded": "NOASSERTION", "licenseDeclared": declared,
               "copyrightText": "NOASSERTION"}
    if part.version:
        package["versionInfo"] = part.version
    if where:
        package["externalRefs"] = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": where}]
    return package


def spdx(found):
    release = version()
    created = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "1580601600")), datetime.UTC)
    listing = "\n".join(part.key for part in found)
    own = {"SPDXID": "SPDXRef-llcuda", "name": "llcuda", "versionInfo": release, "downloadLocation": "NOASSERTION",
           "filesAnalyzed": False, "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0",
           "copyrightText": "NOASSERTION"}
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"llcuda-{release}",
        "documentNamespace": f"https://spdx.org/spdxdocs/llcuda-{release}-{hashlib.sha256(listing.encode()).hexdigest()[:32]}",
        "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: llcuda-third_party"]},
        "packages": [own, *map(spdx_package, found)],
        "hasExtractedLicensingInfos": [
            {"licenseId": license_reference(text), "name": f"copyright file of {name}", "extractedText": text}
            for text, name in {part.text: part.name for part in found if not part.license}.items()],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-llcuda"},
            *({"spdxElementId": "SPDXRef-llcuda", "relationshipType": "CONTAINS", "relatedSpdxElement": f"SPDXRef-{part.key}"}
              for part in found)],
    }


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    build, out = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    found = parts(build)
    out.mkdir(parents=True, exist_ok=True)
    (out / "THIRD_PARTY").write_text(notices(found), encoding="utf-8")
    (out / "llcuda.spdx.json").write_text(json.dumps(spdx(found), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(found)} parts: {', '.join(part.name for part in found if part.kind != 'crate')}, "
          f"{sum(part.kind == 'crate' for part in found)} crates")


if __name__ == "__main__":
    main()
