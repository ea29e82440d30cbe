// SPDX-License-Identifier: Apache-2.0
// Measured exceptions to the tiles that decode_tile.h and prompt_tile.h choose by formula.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "codegen/spec/decode_tile.h"
#include "codegen/spec/prompt_tile.h"

namespace llcuda::codegen {

/// What the tile of a launch was chosen from; nothing for launches without a tile of these.
using TileRequest = std::variant<std::monostate, DecodeTileRequest, PromptTileRequest>;

/// By the name of a kernel; kernels without a tile are not in it.
using TileRequests = std::map<std::string, TileRequest>;

template <typename Request, typename Tile>
struct TileException {
  Request request;
  Tile tile; ///< checkTile() lets it pass
  bool operator==(const TileException&) const = default;
};

/// At most one exception for a request. As a value it is whoever's that compiles: nothing is global.
struct TileTable {
  std::string source; ///< the file's name; empty: only what is built in
  std::string device; ///< where it was measured
  std::vector<TileException<DecodeTileRequest, DecodeTile>> decode;
  std::vector<TileException<PromptTileRequest, PromptTile>> prompt;
  /// Prompt linears of more than 32 rows are cut alike whatever their number, so that a row's bits do not depend on it.
  bool anyRows = false;

  bool operator==(const TileTable&) const = default;
};

/// The exceptions that every compilation starts with.
const TileTable& builtInTiles();

/// `table` with the exceptions of `base` for requests that it lacks.
TileTable over(TileTable table, const TileTable& base);

/// The table's tile, else the formula's.
DecodeTile chooseDecodeTile(const DecodeTileRequest& request, const TileTable& tiles);
PromptTile choosePromptTile(const PromptTileRequest& request, const TileTable& tiles);

} // namespace llcuda::codegen
