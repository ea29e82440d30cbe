# SPDX-License-Identifier: Apache-2.0
"""Holds the kernels of an engine to a table of tiles: those that differ from the engine's without the table have a tile
of its entries.

usage: check_tiles.py TILES.json ENGINE_WITHOUT.json ENGINE_WITH.json    (the engines as llcuda-inspect --json tells)
"""
import json
import re
import sys


def tile_name(tile):
    if "slices" in tile:
        return f"s{tile['slices']}_a{tile['ahead']}"
    return (f"r{tile['rows']}_c{tile['columns']}_down{tile['warps_down']}_across{tile['warps_across']}"
            f"_deep{tile['warps_deep']}")


def kernels(path):
    with open(path, encoding="utf-8") as file:
        return [kernel["name"] for kernel in json.load(file)["kernels"]]


def main(tiles, without, with_table):
    with open(tiles, encoding="utf-8") as file:
        table = json.load(file)
    before, after = kernels(without), kernels(with_table)
    assert len(before) == len(after), (before, after)
    wanted = "|".join(f"__{tile_name(entry['tile'])}__" for entry in table["decode"] + table["prompt"])
    changed = [name for old, name in zip(before, after) if old != name]
    strangers = [name for name in changed if not re.search(wanted, name)]
    assert not strangers, (strangers, wanted)
    print(f"{len(changed)} kernels have another tile")


if __name__ == "__main__":
    main(*sys.argv[1:])
