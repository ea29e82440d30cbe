// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/decode_tile.h"

#include <algorithm>
#include <bit>

#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

/// Of the blocks of a row, at most `most` slices with as many blocks each: evenly, where that costs less than half of
/// the slices.
uint32_t slicesOf(uint32_t blocks, uint32_t most) {
  if (blocks <= most)
    return blocks;
  for (uint32_t slices = most; 2 * slices > most; --slices)
    if (blocks % slices == 0)
      return slices;
  return divideUp(blocks, divideUp(blocks, most)); // the last is shorter
}

constexpr uint32_t kManyTiles = 512;

uint32_t tilesOf(const DecodeTileRequest& request) {
  return divideUp(request.outputs, kWeightTileRows) * request.weights;
}

/// Warps of a block, by the first line that a request is within.
struct SliceRule {
  uint32_t tiles;   ///< of all weights, at most
  uint32_t columns; ///< at most
  bool codesOnly;   ///< of layouts of int8 codes
  uint32_t warps;
  bool together; ///< two weights share them; else each has so many
};

constexpr uint32_t kAny = UINT32_MAX;

/// Blocks of a weight of few tiles have 16 warps, eight where rows are so long that each has much to do; where there
/// are more tiles, four or eight keep a multiprocessor busy beside other blocks, and each warp's loads follow one
/// another for longer. Those of layouts that lanes multiply may take all registers when there are many rows of x: eight
/// warps at most.
constexpr SliceRule kSliceRules[] = {
    {8 * t4::kMultiprocessors, 8192, true, 16, true},
    {8 * t4::kMultiprocessors, kAny, false, 8, true},
    {kManyTiles, 2048, true, 8, false},
    {kManyTiles, kAny, false, 8, true},
    {kAny, kAny, false, 4, false},
};

uint32_t chooseSlices(const DecodeTileRequest& request) {
  const auto rule = std::ranges::find_if(kSliceRules, [&](const SliceRule& rule) {
    return tilesOf(request) <= rule.tiles && request.columns <= rule.columns &&
           (!rule.codesOnly || weightIsInt8Codes(request.layout));
  });
  const uint32_t most = rule->together ? rule->warps / request.weights : rule->warps;
  return slicesOf(request.columns / weightBlockBytes(request.layout).columns, most);
}

/// Whether tensor cores multiply: decode_parts.cuh.
bool takesTensorCores(const DecodeTileRequest& request) {
  return weightIsInt8Codes(request.layout) && request.inputRows > kMostRowsOfLanes;
}

/// Inputs of a unit, and bytes of codes that it has in a lane's registers; those of tensor cores may have more.
uint32_t unitInputs(const DecodeTileRequest& request) {
  const uint32_t unit = weightFacts(request.layout).unit;
  return weightIsInt8Codes(request.layout) ? 32 : unit;
}
uint32_t unitBytes(const DecodeTileRequest& request) {
  const WeightBlockBytes block = weightBlockBytes(request.layout);
  return (block.codes + block.high) * unitInputs(request) / block.columns;
}

/// What 64 registers hold.
bool isLight(const DecodeTileRequest& request) {
  return request.inputRows == 1 && weightIsInt8Codes(request.layout) && unitBytes(request) <= 16 &&
         request.layout != WeightLayout::kIQ4_XSPlanes; // beside its table's look-ups a record
}

/// Whether each of the rows of a fragment has further bits in the lane, two scales, or look-ups beside a record.
bool isHeavy(const DecodeTileRequest& request) {
  const WeightFacts facts = weightFacts(request.layout);
  return takesTensorCores(request) && facts.columns == 256 &&
         (facts.high != 0 || facts.scaleStep == 16 || request.layout == WeightLayout::kIQ4_XSPlanes);
}

/// Whether 64 registers hold what tensor cores need of two units: two blocks of up to 16 warps, of a launch that has
/// few. Longer slices have further units on their way when a turn of the loop ends.
bool isNarrow(const DecodeTileRequest& request, uint32_t warps) {
  const uint32_t units = divideUp(request.columns / unitInputs(request), warps / request.weights);
  return takesTensorCores(request) && warps > 8 && units <= 8 && units % 2 == 0 && !isHeavy(request) &&
         weightFacts(request.layout).high == 0;
}

/// Blocks of a multiprocessor: by the registers that these kinds of kernels spill nothing with
/// (tests/codegen/nvrtc/real_kernels_test.cpp).
uint32_t chooseBlocks(const DecodeTileRequest& request, const DecodeTile& tile) {
  const uint32_t warps = tile.threads(request) / 32;
  // One block, with registers for loads that are on their way, where its warps have much to do.
  const bool isLong = request.weights == 1 && request.columns / unitInputs(request) >= 16 * tile.slices;
  if (isLight(request) && (request.weights > 1 || (warps > 8 && !isLong)))
    return (warps > 8 || tilesOf(request) > kManyTiles ? 32 : 24) / warps;
  if (isHeavy(request)) // gate and up have few units each: other warps hide what a warp waits for
    return request.weights > 1 ? divideUp(12, warps) : std::max(1u, 12 / warps);
  if (isNarrow(request, warps))
    return 2;
  const bool manySums = !weightIsInt8Codes(request.layout) && request.inputRows > 4;
  return (manySums ? 8 : 16) / warps;
}

/// Units ahead that fit these registers.
uint32_t mostAhead(const DecodeTileRequest& request, uint32_t warps) {
  if (request.inputRows == 1)
    return warps <= 8 && request.weights == 1 ? 8 : warps > 14 && unitBytes(request) > 16 ? 2 : 4;
  if (!takesTensorCores(request))
    return weightIsInt8Codes(request.layout) && unitBytes(request) <= 24 ? 8 : 4;
  if (isHeavy(request) || isNarrow(request, warps))
    return 2;
  return weightFacts(request.layout).columns != 256 ? 4 : 8;
}

/// All of a slice that is short; of a longer one a part of it, so that no turn of the loop is short.
uint32_t chooseAhead(const DecodeTileRequest& request, const DecodeTile& tile) {
  const uint32_t units = divideUp(request.columns / unitInputs(request), tile.slices);
  const uint32_t most = std::min(mostAhead(request, tile.threads(request) / 32), std::bit_ceil(units));
  if (request.inputRows <= 2 && units <= 8 && !isLight(request))
    return std::bit_ceil(units);
  for (uint32_t ahead = most; ahead > 1; ahead /= 2)
    if (units % ahead == 0)
      return ahead;
  return most;
}

} // namespace

Members DecodeTile::members() const {
  return {{"slices", number("s", slices)}, {"ahead", number("a", ahead)}};
}

DecodeTile chooseDecodeTile(const DecodeTileRequest& request) {
  DecodeTile tile;
  tile.slices = chooseSlices(request);
  tile.ahead = chooseAhead(request, tile);
  tile.minBlocksPerSm = std::clamp(chooseBlocks(request, tile), 1u, t4::kBlocksPerMultiprocessor);
  return tile;
}

} // namespace llcuda::codegen
