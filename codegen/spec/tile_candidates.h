// SPDX-License-Identifier: Apache-2.0
// Tiles that are worth measuring beside the one that a launch has. All of them pass checkTile(), and none is the
// launch's.
#pragma once

#include <vector>

#include "codegen/spec/tile_table.h"

namespace llcuda::codegen {

/// Other ways to cut the launch, the likeliest first; a multiprocessor is asked to hold about as many warps as with
/// `tile`.
std::vector<DecodeTile> otherShapes(const DecodeTileRequest& request, const DecodeTile& tile);
std::vector<PromptTile> otherShapes(const PromptTileRequest& request, const PromptTile& tile);

/// The same cut with fewer and with more blocks to a multiprocessor, that is with more and with fewer registers.
std::vector<DecodeTile> otherOccupancies(const DecodeTileRequest& request, const DecodeTile& tile);
std::vector<PromptTile> otherOccupancies(const PromptTileRequest& request, const PromptTile& tile);

} // namespace llcuda::codegen
