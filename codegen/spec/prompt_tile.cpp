// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/prompt_tile.h"

#include <algorithm>
#include <functional>

#include "codegen/spec/check_tile.h"
#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

bool isMixed(const PromptTileRequest& request) {
  return std::ranges::adjacent_find(request.layouts, std::not_equal_to()) != request.layouts.end();
}

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

/// Of linear_prompt_f16.cuh, whose stages are in shared memory: two blocks of 128 x 64 or three of 64 x 64 to a
/// multiprocessor hide more than one of 128 x 128.
PromptTile tileOfHalves(const PromptTileRequest& request) {
  if (request.rows <= 32) {
    const uint32_t rows = request.rows <= 16 ? 16 : 32;
    return isWide(request) ? PromptTile{rows, 64, 1, 2, 2, 2} : PromptTile{rows, 32, 1, 1, 2, 3};
  }
  if (request.rows > 64 && !isMixed(request) && tilesOfEach(128, 64, request) >= 1)
    return {128, 64, 2, 2, 1, 2};
  return {64, 64, 2, 2, 1, 3};
}

/// Of linear_prompt_s8.cuh, up to 64 rows in one tile: registers decide how many warps a multiprocessor holds. Eight of
/// them share the inputs where blocks of four would be fewer than it holds or would leave the last one alone.
PromptTile flatTileOfInt8(const PromptTileRequest& request, uint32_t rows) {
  const uint32_t blocks = rows == 16 ? 4 : rows == 32 ? 3 : 2;
  if (request.gated || (rows > 32 && isWide(request)))
    return {rows, 64, 1, 2, 2, std::min(blocks, 3u)};
  const PromptTile tile = {rows, 32, 1, 1, 4, blocks}, deep = {rows, 32, 1, 1, 8, std::max(1u, blocks / 2)};
  const uint32_t made = divideUp(divideUp(request.columns, 32), t4::kMultiprocessors);
  const bool idle = made < blocks || made % blocks == 1 || (rows != 32 && !isWide(request));
  return idle && request.inputs >= 1024 && checkTile(request, deep) ? deep : tile;
}

/// Tiles of up to 64 rows that divide the rows evenly; warps of a block have the same rows of x.
PromptTile tileOfInt8(const PromptTileRequest& request) {
  const uint32_t rows = divideUp(divideUp(request.rows, divideUp(request.rows, 64)), 16) * 16;
  if (request.rows <= 64)
    return flatTileOfInt8(request, rows);
  return tilesOfEach(rows, 128, request) >= 2 ? PromptTile{rows, 128, 1, 4, 1, 2} : PromptTile{rows, 64, 1, 2, 2, 2};
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
  return std::ranges::all_of(request.layouts, weightHasInt8Codes) ? tileOfInt8(request) : tileOfHalves(request);
}

} // namespace llcuda::codegen
