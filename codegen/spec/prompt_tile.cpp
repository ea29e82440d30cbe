// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/prompt_tile.h"

#include <algorithm>

#include "codegen/spec/check_tile.h"
#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

PromptTile tileOfF32(const PromptTileRequest& request) {
  return request.rows <= 32 ? PromptTile{32, 64, 2, 2, 1, 2} : PromptTile{64, 32, 4, 1, 1, 2};
}

/// Whether blocks of 64 columns are enough for a T4, four to each multiprocessor.
bool isWide(const PromptTileRequest& request) {
  return request.gated || request.columns >= 64 * 4 * t4::kMultiprocessors;
}

/// Tiles of `rows` x `columns` for each multiprocessor of a T4.
uint32_t tilesOfEach(uint32_t rows, uint32_t columns, const PromptTileRequest& request) {
  return divideUp(request.rows, rows) * divideUp(request.columns, columns) / t4::kMultiprocessors;
}

/// Tiles of `rows` x `columns` that the busiest multiprocessor of a T4 makes.
uint32_t tilesOfBusiest(uint32_t rows, uint32_t columns, const PromptTileRequest& request) {
  return divideUp(divideUp(request.rows, rows) * divideUp(request.columns, columns), t4::kMultiprocessors);
}

bool hasInt8Codes(const PromptTileRequest& request) {
  return std::ranges::any_of(request.layouts, weightHasInt8Codes);
}

/// Whether the busiest multiprocessor has hardly more to do in tiles of `columns` than of half of that.
bool isEven(uint32_t rows, uint32_t columns, const PromptTileRequest& request) {
  return 21 * tilesOfBusiest(rows, columns / 2, request) >= 20 * 2 * tilesOfBusiest(rows, columns, request);
}

/// Whether eight warps are to share the inputs: where blocks of four would be fewer than a multiprocessor holds or
/// would leave the last one alone; of int8 rows, up to 32 of them, only where each multiprocessor has one block.
bool isDeep(const PromptTileRequest& request, uint32_t rows, uint32_t blocks) {
  const uint32_t made = divideUp(divideUp(request.columns, 32), t4::kMultiprocessors);
  if (rows <= 32 && hasInt8Codes(request))
    return made == 1;
  return made < blocks || made % blocks == 1 || (rows != 32 && !isWide(request));
}

/// Up to 64 rows in one tile: registers decide how many warps a multiprocessor holds.
PromptTile flatTile(const PromptTileRequest& request, uint32_t rows) {
  const uint32_t blocks = rows == 16 ? 4 : rows == 32 ? 3 : 2;
  const bool is32 = rows == 32 && hasInt8Codes(request);
  if (is32 && isWide(request) && isEven(rows, 128, request))
    return request.gated ? PromptTile{rows, 64, 1, 2, 1, 6} : PromptTile{rows, 128, 1, 4, 1, 3};
  if (rows > 32 && request.gated && hasInt8Codes(request) && isEven(rows, 128, request))
    return {rows, 128, 1, 4, 1, 2};
  if (request.gated || (rows > 32 && isWide(request)))
    return {rows, 64, 1, 2, 2, std::min(blocks, 3u)};
  if (is32 && !isWide(request) && tilesOfBusiest(rows, 64, request) > 1 &&
      2 * tilesOfBusiest(rows, 64, request) <= tilesOfBusiest(rows, 32, request))
    return {rows, 64, 1, 1, 4, 2}; // a warp's rows of x for twice as many columns
  const PromptTile tile = {rows, 32, 1, 1, 4, blocks}, deep = {rows, 32, 1, 1, 8, std::max(1u, blocks / 2)};
  return isDeep(request, rows, blocks) && request.inputs >= 1024 && checkTile(request, deep) ? deep : tile;
}

/// Rows of tiles of up to 64 that divide the rows evenly.
uint32_t evenRows(const PromptTileRequest& request) {
  return divideUp(divideUp(request.rows, divideUp(request.rows, 64)), 16) * 16;
}

/// Whether two by two warps are to share rows of x and weights: of q4_k it is faster by 3 to 7 %, of other layouts
/// slower (docs/t4.md), where there are enough of the blocks.
bool isSquare(const PromptTileRequest& request, uint32_t rows) {
  const uint32_t each = tilesOfEach(2 * rows, 64, request);
  return rows == 64 && !request.gated && divideUp(request.rows, rows) % 2 == 0 &&
         (each >= 9 || (each >= 6 && request.inputs >= 4096)) &&
         std::ranges::all_of(request.layouts, [](WeightLayout layout) { return layout == WeightLayout::kQ4_KPlanes; });
}

/// Warps of a block have the same rows of x. Tiles of half as many columns take as long for the same, and there are
/// twice as many: where they leave the busiest multiprocessor a twentieth less they are worth what they read again.
PromptTile tileOfInt8(const PromptTileRequest& request) {
  const uint32_t rows = evenRows(request);
  if (request.rows <= 64)
    return flatTile(request, rows);
  if (isSquare(request, rows))
    return {2 * rows, 64, 2, 2, 1, 2};
  return isEven(rows, 128, request) && tilesOfEach(rows, 128, request) >= 2 ? PromptTile{rows, 128, 1, 4, 1, 2}
                                                                            : PromptTile{rows, 64, 1, 2, 2, 2};
}

/// What 64 x 128 of f16 read of the L2 cache takes a T4 longer than multiplying it; of 128 x 128 it is a third less.
PromptTile tileOfHalves(const PromptTileRequest& request) {
  const uint32_t rows = evenRows(request);
  if (request.rows <= 64)
    return flatTile(request, rows);
  if (divideUp(request.rows, rows) % 2 == 0 && rows == 64 && tilesOfEach(128, 128, request) >= 1)
    return {128, 128, 2, 4, 1, 2};
  return tilesOfEach(rows, 128, request) >= 2 ? PromptTile{rows, 128, 1, 4, 1, 3} : PromptTile{rows, 64, 1, 2, 2, 2};
}

} // namespace

Members PromptTile::members() const {
  return {{"rows", number("r", rows)},
          {"columns", number("c", columns)},
          {"warpsDown", number("down", warpsDown)},
          {"warpsAcross", number("across", warpsAcross)},
          {"warpsDeep", number("deep", warpsDeep)}};
}

PromptTile choosePromptTile(const PromptTileRequest& request) {
  if (!std::ranges::all_of(request.layouts, weightTakesTensorCores))
    return tileOfF32(request);
  // Of both kinds, int8 codes need more registers.
  return hasInt8Codes(request) ? tileOfInt8(request) : tileOfHalves(request);
}

} // namespace llcuda::codegen
