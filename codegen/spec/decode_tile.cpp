// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/decode_tile.h"

#include <algorithm>

#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kMaxWarps = 8;

/// A lane holds rows * inputRows * weights sums, and as many weights as it reads at a time: with four rows of gate and
/// up those of two inputs do not fit 128 registers in most layouts.
uint32_t mostRows(const DecodeTileRequest& request) {
  return request.inputRows * request.weights > 2 ? 2 : 4;
}

uint32_t chooseLanes(const DecodeTileRequest& request) {
  const uint32_t units = request.columns / weightFacts(request.layout).unit;
  uint32_t best = 32, fewestSlots = UINT32_MAX;
  for (uint32_t lanes = 32; lanes >= 8; lanes /= 2) {
    const uint32_t slots = (units + lanes - 1) / lanes * lanes;
    if (slots < fewestSlots)
      best = lanes, fewestSlots = slots;
  }
  return best;
}

uint32_t chooseRows(const DecodeTileRequest& request, uint32_t lanes) {
  // So that a block makes blockRowsMultiple in one round, or comes close.
  const uint32_t fewest = std::max(request.rowsMultiple, request.blockRowsMultiple * lanes / (32 * kMaxWarps));
  // Four rows save reads of the input, but leave few blocks, whose last wave fills no GPU; below two, inputs cost more.
  const auto wantedWarps = [](uint32_t rows) { return t4::kMultiprocessors * (rows > 2 ? 48 : 8); };
  uint32_t rows = mostRows(request);
  while (rows > fewest &&
         (request.outputs * request.weights / (32 / lanes * rows) < wantedWarps(rows) || rows > request.smallestPart))
    rows /= 2;
  return rows;
}

uint32_t warpsPerSm(const DecodeTileRequest& request) {
  if (request.inputRows > 4)
    return 8;
  const bool wide = request.inputRows > 1 || request.weights > 1 || !weightReadsInt8Rows(request.layout);
  return wide ? 16 : 24;
}

} // namespace

uint32_t DecodeTile::rounds(const DecodeTileRequest& request) const {
  // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): lanes are 8, 16 or 32, which check_tile.h holds tile files to.
  return std::max(1u, request.blockRowsMultiple / roundRows());
}

Members DecodeTile::members(const DecodeTileRequest& request) const {
  Constant times = number("x", rounds(request));
  if (rounds(request) == 1)
    times.shown = "";
  return {{"lanes", number("l", lanes)}, {"rows", number("r", rows)}, {"warps", number("w", warps)}, {"rounds", times}};
}

DecodeTile chooseDecodeTile(const DecodeTileRequest& request) {
  DecodeTile tile;
  tile.lanes = chooseLanes(request);
  tile.rows = chooseRows(request, tile.lanes);
  const uint32_t warpRows = 32 / tile.lanes * tile.rows;
  tile.warps = request.outputs < t4::kMultiprocessors * 16 * warpRows ? 4 : 8;
  while (tile.warps * warpRows < request.blockRowsMultiple && tile.warps < kMaxWarps)
    tile.warps *= 2; // all are powers of two
  tile.minBlocksPerSm = std::max(1u, warpsPerSm(request) / tile.warps);
  // Gate and up of four inputs in rounds: sixteen warps would spill in their loops, twelve do not.
  if (tile.rounds(request) > 1 && request.weights > 1 && request.inputRows > 2 && request.inputRows <= 4)
    tile.warps = 4, tile.minBlocksPerSm = 3;
  return tile;
}

} // namespace llcuda::codegen
