# SPDX-License-Identifier: Apache-2.0
"""Holds the kernels of an engine to a table of tiles: those with another tile than without the table have a tile of its
entries. The names tell no blocks a multiprocessor, so an entry may change a kernel that keeps its name.

usage: check_tiles.py TILES.json ENGINE_WITHOUT.json ENGINE_WITH.json    (the engines as llcuda-inspect --json tells)
"""
import json
import sys


def tile_name(tile):
    if "lanes" in tile:
        return f"l{tile['lanes']}_r{tile['rows']}_w{tile['warps']}"
    threads = 32 * tile["warps_down"] * tile["warps_across"] * tile["warps_deep"]
    return f"r{tile['rows']}_n{tile['columns']}_t{threads}"


def kernels(path):
    """op__format__shape -> tile"""
    with open(path, encoding="utf-8") as file:
        return dict(kernel["name"].rsplit("__", 1) for kernel in json.load(file)["kernels"])


def main(tiles, without, with_table):
    with open(tiles, encoding="utf-8") as file:
        table = json.load(file)
    before, after = kernels(without), kernels(with_table)
    assert before.keys() == after.keys(), before.keys() ^ after.keys()
    wanted = {tile_name(entry["tile"]) for entry in table["decode"] + table["prompt"]}
    changed = {launch: after[launch] for launch in after if after[launch] != before[launch]}
    assert set(changed.values()) <= wanted, (changed, wanted)
    print(f"{len(changed)} kernels have another tile")
    return changed


if __name__ == "__main__":
    main(*sys.argv[1:])
