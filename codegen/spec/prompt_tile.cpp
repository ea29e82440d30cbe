// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/prompt_tile.h"

#include <algorithm>
#include <functional>

#include "codegen/spec/check_tile.h"
#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

/// Whether tiles of a kind hold any of the launch's layouts less often than others: kTight...
bool isTight(const PromptTileRequest& request, unsigned kind) {
  return std::ranges::any_of(request.layouts,
                             [&](WeightLayout layout) { return (weightFacts(layout).tight & kind) != 0; });
}

bool isMixed(const PromptTileRequest& request) {
  return std::ranges::adjacent_find(request.layouts, std::not_equal_to()) != request.layouts.end();
}

PromptTile tileOfF32(const PromptTileRequest& request) {
  return request.rows <= 32 ? PromptTile{32, 64, 2, 2, 1, 2} : PromptTile{64, 32, 4, 1, 1, 2};
}

/// One block less to a multiprocessor where that is what the registers or the shared memory of a layout take.
PromptTile lessened(PromptTile tile, const PromptTileRequest& request, unsigned kind) {
  if (isTight(request, kind) && tile.minBlocksPerSm > 1)
    --tile.minBlocksPerSm;
  return tile;
}

PromptTile smallestOfFewRows(const PromptTileRequest& request) {
  const uint32_t rows = request.rows <= 16 ? 16 : 32;
  const bool wide = request.gated || request.columns >= 64 * 4 * t4::kMultiprocessors;
  if (!std::ranges::all_of(request.layouts, weightHasInt8Codes)) // stages of f16 are twice as large
    return wide ? PromptTile{rows, 64, 1, 2, 2, 2} : PromptTile{rows, 32, 1, 1, 2, 3};
  return wide ? PromptTile{rows, 64, 1, 2, 4, 2} : PromptTile{rows, 32, 1, 1, 4, 3};
}

/// `tile` with its four warps' inputs divided among eight, where a T4's multiprocessors have no fewer warps at work: as
/// they have of two such blocks, and of one where blocks of `tile` would be few or leave their last one alone.
PromptTile deepenedFor(PromptTile tile, const PromptTileRequest& request) {
  if (tile.columns != 32 || tile.warpsDeep != 4 || request.inputs < 1024)
    return tile;
  PromptTile deep = tile;
  deep.warpsDeep = 8;
  deep.minBlocksPerSm = 2;
  if (request.rows <= 16 && checkTile(request, deep))
    return deep;
  deep.minBlocksPerSm = 1;
  const uint32_t atOnce = tile.minBlocksPerSm;
  const uint32_t blocks = divideUp(divideUp(request.columns, 32), t4::kMultiprocessors);
  return atOnce <= 2 || blocks < atOnce || blocks % atOnce == 1 ? deep : tile;
}

PromptTile tileOfFewRows(const PromptTileRequest& request) {
  return deepenedFor(lessened(smallestOfFewRows(request), request, kTightFewRows), request);
}

/// Whether the loop of a tile of 128 x 64, with 64 sums in each lane, does without spills.
bool fitsTallTile(const PromptTileRequest& request) {
  if (isMixed(request) && !std::ranges::all_of(request.layouts, weightHasInt8Codes))
    return false;
  return !isTight(request, kTightTall);
}

// Two blocks of 128 x 64 or three of 64 x 64 to a multiprocessor hide more than one of 128 x 128.
PromptTile tileOfManyRows(const PromptTileRequest& request) {
  if (request.rows > 64 && fitsTallTile(request) &&
      divideUp(request.rows, 128) * divideUp(request.columns, 64) >= t4::kMultiprocessors)
    return {128, 64, 2, 2, 1, 2};
  const PromptTile tile = lessened({64, 64, 2, 2, 1, 3}, request, kTightManyRows);
  return isMixed(request) ? lessened(tile, request, kTightMixed) : tile;
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
  return request.rows <= 32 ? tileOfFewRows(request) : tileOfManyRows(request);
}

} // namespace llcuda::codegen
