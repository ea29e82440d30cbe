// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/tile_candidates.h"

#include <algorithm>

#include "codegen/spec/check_tile.h"

namespace llcuda::codegen {
namespace {

/// Those of `tiles` that kernels exist for, each once and without `own`.
template <typename Request, typename Tile>
std::vector<Tile> valid(const Request& request, const Tile& own, const std::vector<Tile>& tiles) {
  std::vector<Tile> others;
  for (const Tile& tile : tiles)
    if (tile != own && checkTile(request, tile) && std::ranges::find(others, tile) == others.end())
      others.push_back(tile);
  return others;
}

/// Blocks of `threads` threads that are about as many as `all`.
uint32_t sameWarps(uint32_t all, uint32_t threads) {
  return std::max(1u, all / threads);
}

/// Of so many rows, whose warps share the inputs.
std::vector<PromptTile> flatShapes(uint32_t rows) {
  return {{rows, 64, 1, 2, 4, 1}, {rows, 32, 1, 1, 4, 1}, {rows, 64, 1, 2, 2, 1},
          {rows, 32, 1, 1, 2, 1}, {rows, 32, 1, 1, 8, 1}, {rows, 128, 1, 4, 2, 1}};
}

std::vector<PromptTile> shapesOf(const PromptTileRequest& request) {
  if (!std::ranges::all_of(request.layouts, weightTakesTensorCores))
    return {{64, 32, 4, 1, 1, 1}, {32, 64, 2, 2, 1, 1}, {64, 64, 4, 2, 1, 1}};
  if (request.rows <= 64)
    return flatShapes((request.rows + 15) / 16 * 16);
  return {{64, 128, 1, 4, 1, 1}, {128, 64, 2, 2, 1, 1}, {64, 256, 1, 8, 1, 1}, {128, 128, 2, 4, 1, 1},
          {64, 64, 1, 2, 2, 1},  {64, 64, 2, 2, 1, 1},  {128, 256, 2, 8, 1, 1}};
}

} // namespace

std::vector<DecodeTile> otherShapes(const DecodeTileRequest& request, const DecodeTile& tile) {
  std::vector<DecodeTile> tiles;
  const auto add = [&](uint32_t slices, uint32_t ahead) {
    DecodeTile other = {slices, ahead, 1};
    other.minBlocksPerSm = sameWarps(tile.threads(request) * tile.minBlocksPerSm, other.threads(request));
    tiles.push_back(other);
  };
  for (const uint32_t ahead : {2u, 4u, 8u}) add(tile.slices, ahead);
  for (const uint32_t slices : {16u, 8u, 4u, 2u}) add(slices, tile.ahead);
  return valid(request, tile, tiles);
}

std::vector<PromptTile> otherShapes(const PromptTileRequest& request, const PromptTile& tile) {
  std::vector<PromptTile> tiles = shapesOf(request);
  for (PromptTile& shape : tiles) {
    shape.minBlocksPerSm = sameWarps(tile.threads() * tile.minBlocksPerSm, shape.threads());
    while (shape.minBlocksPerSm > 1 && !checkTile(request, shape)) --shape.minBlocksPerSm; // shared memory
  }
  return valid(request, tile, tiles);
}

std::vector<DecodeTile> otherOccupancies(const DecodeTileRequest& request, const DecodeTile& tile) {
  std::vector<DecodeTile> tiles;
  for (const uint32_t warps : {16u, 24u, 32u, 8u}) {
    DecodeTile other = tile;
    other.minBlocksPerSm = sameWarps(warps * 32, tile.threads(request));
    tiles.push_back(other);
  }
  return valid(request, tile, tiles);
}

std::vector<PromptTile> otherOccupancies(const PromptTileRequest& request, const PromptTile& tile) {
  std::vector<PromptTile> tiles(2, tile);
  ++tiles[0].minBlocksPerSm;
  --tiles[1].minBlocksPerSm;
  return valid(request, tile, tiles);
}

} // namespace llcuda::codegen
