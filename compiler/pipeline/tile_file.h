// SPDX-License-Identifier: Apache-2.0
// A table of tiles as JSON: what llcuda-tune writes and llcuda-compile --tiles reads.
#pragma once

#include <string>
#include <string_view>

#include "codegen/spec/tile_table.h"
#include "runtime/base/result.h"

namespace llcuda::pipeline {

/// {"llcuda_tiles": 2, "device": "Tesla T4", "decode": [{"layout": "q4_k_planes", ..., "tile": {"slices": 8, ...}},
/// ...], "prompt": [{"layouts": ["q4_k_planes"], ..., "tile": {"rows": 64, ...}}, ...]}
std::string tilesJson(const codegen::TileTable& table);

/// Every tile is checked for its launch. kBadInput names the file, the entry, what is wrong with it and what to do.
Result<codegen::TileTable> parseTiles(std::string_view json, const std::string& file);
Result<codegen::TileTable> readTiles(const std::string& file);

/// "tiles of FILE, measured on DEVICE: 3 of 7 used", for a table that has a source.
std::string tilesNote(const codegen::TileTable& table, const codegen::TileRequests& requests);

} // namespace llcuda::pipeline
