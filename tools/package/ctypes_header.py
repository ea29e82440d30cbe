# SPDX-License-Identifier: Apache-2.0
"""The declarations of a C header for Python's ctypes: ctypes_header.py HEADER OUT.py

Reads what llcuda.h is made of: enums, structs of plain fields, opaque structs, callbacks, functions, numeric macros.
Whatever else stands there is refused by line, so that nothing is left out in silence.
"""
import re
import sys
from pathlib import Path

NUMBERS = {
    "int": "c_int", "int32_t": "c_int32", "uint32_t": "c_uint32", "int64_t": "c_int64", "uint64_t": "c_uint64",
    "size_t": "c_size_t", "float": "c_float", "double": "c_double", "uint8_t": "c_uint8", "uint16_t": "c_uint16",
}
TOP = re.compile(
    r"\s*(?:"
    r"typedef enum (?P<enum>\w+) \{(?P<values>[^}]*)\} (?P=enum);"
    r"|typedef struct (?P<struct>\w+) \{(?P<fields>[^}]*)\} (?P=struct);"
    r"|typedef struct (?P<opaque>\w+) (?P=opaque);"
    r"|typedef (?P<returned>[\w ]+?[ *]+)\(\*(?P<callback>\w+)\)\((?P<given>[^)]*)\);"
    r"|LLCUDA_API (?P<result>[\w ]+?[ *]+)(?P<function>\w+)\((?P<parameters>[^)]*)\);"
    r")")


class Header:
    def __init__(self, text):
        self.constants, self.enums, self.opaque = {}, set(), set()
        self.structs, self.callbacks, self.functions = {}, {}, {}
        self.order = []  # of structs and callbacks: each names only those above it
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
        text = re.sub(r"#ifdef __cplusplus.*?#endif", "", text, flags=re.S)
        for name, value in re.findall(r"^#define (\w+) (\d+)$", text, flags=re.M):
            self.constants[name] = int(value)
        text = re.sub(r"^#.*$", "", text, flags=re.M)
        self.read(re.sub(r"\s+", " ", text).strip())

    def read(self, text):
        place = 0
        while place < len(text):
            match = TOP.match(text, place)
            if not match:
                raise SystemExit(f"ctypes_header: not understood: {text[place:place + 120]}")
            place = match.end()
            if match["struct"] or match["callback"]:
                self.order.append(match["struct"] or match["callback"])
            if match["enum"]:
                self.read_enum(match["enum"], match["values"])
            elif match["struct"]:
                self.structs[match["struct"]] = [self.declared(field) for field in match["fields"].split(";")[:-1]]
            elif match["opaque"]:
                self.opaque.add(match["opaque"])
            elif match["callback"]:
                types = [self.declared(parameter)[1] for parameter in match["given"].split(",")]
                self.callbacks[match["callback"]] = [self.type_of(match["returned"], returned=True), *types]
            else:
                parameters = match["parameters"].strip()
                types = [] if parameters == "void" else [self.declared(one)[1] for one in parameters.split(",")]
                self.functions[match["function"]] = (self.type_of(match["result"], returned=True), types)

    def read_enum(self, name, values):
        self.enums.add(name)
        following = 0
        for entry in filter(None, (value.strip() for value in values.split(","))):
            constant, _, number = (part.strip() for part in entry.partition("="))
            following = int(number, 0) if number else following
            self.constants[constant] = following
            following += 1

    def declared(self, text):
        """(name, type) of a field or parameter."""
        match = re.fullmatch(r"\s*(?P<type>.*?)\s*(?P<name>\w+)(?:\[(?P<size>\w+)\])?\s*", text)
        if not match or not match["type"]:
            raise SystemExit(f"ctypes_header: not understood: {text}")
        kind = self.type_of(match["type"])
        if match["size"]:
            kind = f"{'c_char' if match['type'] == 'char' else kind} * {match['size']}"
        return match["name"], kind

    def type_of(self, text, returned=False):
        words = text.replace("*", " * ").split()
        stars = words.count("*")
        name = next(word for word in words if word not in ("const", "*", "struct"))
        if name == "void":
            return "c_void_p" if stars == 1 else "None" if stars == 0 else "POINTER(c_void_p)"
        if name == "char":
            constant = words[0] == "const"
            whole = "c_char_p" if constant else "POINTER(c_char)"
            if stars == 0:
                return "c_char"
            # Filled in by the library, with a length: an address.
            inner_is_constant = words[2:4] == ["*", "const"]
            return whole if stars == 1 else f"POINTER({'c_char_p' if inner_is_constant else 'c_void_p'})"
        if name in self.opaque:
            return "c_void_p" if stars == 1 else "POINTER(c_void_p)"
        if name in self.enums:
            kind = "c_int"
        elif name in self.structs or name in self.callbacks:
            kind = name
        elif name in NUMBERS:
            kind = NUMBERS[name]
        else:
            raise SystemExit(f"ctypes_header: the type {name} is not known")
        for _ in range(stars):
            kind = f"POINTER({kind})"
        return kind

    def fields(self, struct):
        """A text whose length stands beside it may hold zero bytes: it is an address, not c_char_p."""
        fields = self.structs[struct]
        names = {name for name, _ in fields}
        return [(name, "c_void_p" if kind == "c_char_p" and f"{name}_bytes" in names else kind)
                for name, kind in fields]


def python_type(kind):
    if kind in ("c_float", "c_double"):
        return "float"
    return "int" if kind.startswith(("c_int", "c_uint", "c_size")) else "Any"


def struct_text(header, name):
    fields = header.fields(name)
    lines = [f"class {name}(Structure):"]
    lines += [f"    {field}: {python_type(kind)}" for field, kind in fields]
    lines.append("    _fields_ = [")
    lines += [f'        ("{field}", {kind}),' for field, kind in fields]
    return "\n".join([*lines, "    ]"])


def sampler_text(header):
    """The plain numbers of llcuda_sampler, which are keywords of the Python functions."""
    numbers = [(name, kind) for name, kind in header.fields("llcuda_sampler") if python_type(kind) != "Any"]
    hidden = {"struct_bytes", "has_seed"}
    shown = [(name, python_type(kind)) for name, kind in numbers if name not in hidden and not name.endswith("_count")]
    lines = ["class SamplerNumbers(TypedDict, total=False):", '    """Fields of llcuda_sampler: docs/sampling.md."""', ""]
    return "\n".join(lines + [f"    {name}: {kind}" for name, kind in shown])


def module_text(header, source):
    declared = repr((header.structs, header.callbacks, header.functions))
    used = sorted({"c_void_p", *re.findall(r"\bc_\w+", declared)})
    parts = [
        "# SPDX-License-Identifier: Apache-2.0",
        f'"""Made from {source} by tools/package/ctypes_header.py."""',
        "from ctypes import CDLL, CFUNCTYPE, POINTER, Structure, " + ", ".join(used),
        "from typing import Any, TypedDict",
        "",
        *(f"{name} = {value}" for name, value in header.constants.items()),
    ]
    for name in header.order:
        if name in header.structs:
            parts += ["", "", struct_text(header, name)]
        else:
            parts += ["", "", f"{name} = CFUNCTYPE({', '.join(header.callbacks[name])})"]
    if "llcuda_sampler" in header.structs:
        parts += ["", "", sampler_text(header)]
    parts += ["", "", "def declare(library: CDLL) -> None:", '    """Gives every function its types."""']
    for name, (result, types) in header.functions.items():
        parts += [f"    library.{name}.restype = {result}", f"    library.{name}.argtypes = [{', '.join(types)}]"]
    return "\n".join(parts) + "\n"


def read_header(path):
    text = Path(path).read_text(encoding="utf-8")
    header = Header(text)
    declared = len(re.findall(r"^LLCUDA_API ", text, flags=re.M))
    if declared != len(header.functions):
        raise SystemExit(f"ctypes_header: {len(header.functions)} of {declared} functions were read")
    return header


def main():
    source, out = map(Path, sys.argv[1:])
    out.write_text(module_text(read_header(source), source.name), encoding="utf-8")


if __name__ == "__main__":
    main()
