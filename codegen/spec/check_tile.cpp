// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/check_tile.h"

#include <algorithm>
#include <bit>

#include "codegen/pack/pack.h"
#include "codegen/spec/linear_spec.h"
#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

constexpr uint32_t kMaxSums = 128; ///< of a lane: more than half of the registers that there are

Result<void> checkPower(const char* what, uint32_t number, uint32_t most) {
  if (std::has_single_bit(number) && number <= most)
    return {};
  return unsupported(what, " is ", number, "; it can be a power of two up to ", most);
}

Result<void> checkThreads(uint32_t threads, uint32_t blocks) {
  if (threads > t4::kThreadsPerBlock)
    return unsupported("a block has ", threads, " threads; it can have ", t4::kThreadsPerBlock);
  if (blocks == 0 || blocks > t4::kThreadsPerMultiprocessor / threads)
    return unsupported("min_blocks_per_sm is ", blocks, "; of blocks of ", threads, " threads there can be 1 to ",
                       t4::kThreadsPerMultiprocessor / threads);
  return {};
}

/// What codegen/kernels/linear/linear_prompt_s8.cuh keeps for each of two steps of its loop: scales and minimums of the
/// columns of every warp.
uint32_t int8StageBytes(WeightLayout layout, const PromptTile& tile) {
  const uint32_t scales = weightScalesOf32(layout), unit = 4 * scales + (weightHasMinimum(layout) ? 8 : 0);
  const uint32_t step = tile.rows / tile.warpsDown == 16 && scales == 1 ? 4 : 2; // units, or fewer
  return tile.warpsDown * tile.warpsDeep * tile.columns * step * unit;
}

/// Gated values that are in shared memory at a time, of codegen/kernels/glu/glu_linear_prompt.cuh.
uint32_t gatedBytes(const PromptTile& tile) {
  return (tile.rows % 64 == 0 ? 64 : tile.rows) * (tile.columns / 2 + 8) * 4;
}

/// The most that a block keeps in shared memory: scales of int8 codes, then sums of the depths, then gated values.
uint32_t sharedBytes(const PromptTileRequest& request, const PromptTile& tile) {
  uint32_t bytes = (tile.warpsDeep - 1) * tile.rows * tile.columns * 4;
  for (const WeightLayout layout : request.layouts)
    bytes = std::max(bytes, weightHasInt8Codes(layout) ? 2 * int8StageBytes(layout, tile) : 0);
  return request.gated ? std::max(bytes, gatedBytes(tile)) : bytes;
}

/// Of linear_prompt_f32.cuh.
Result<void> checkFloatTile(const PromptTile& tile) {
  if (tile.warpsDeep != 1 || tile.rows * tile.columns != 16 * tile.threads())
    return unsupported("a tile of f32 weights is 4 x 4 for each thread, one warp deep");
  if (tile.rows * 4 % tile.threads() != 0 || tile.columns * 4 % tile.threads() != 0)
    return unsupported(tile.threads(), " threads do not divide the rows and columns of a stage");
  return {};
}

Result<void> checkShared(const PromptTileRequest& request, const PromptTile& tile) {
  const uint32_t bytes = sharedBytes(request, tile);
  if (bytes > t4::kStaticSharedBytes)
    return unsupported("the tile needs ", bytes, " bytes of shared memory; a block has ", t4::kStaticSharedBytes);
  if (bytes * tile.minBlocksPerSm > t4::kSharedBytesPerMultiprocessor)
    return unsupported("min_blocks_per_sm is ", tile.minBlocksPerSm, "; with ", bytes,
                       " bytes of shared memory each there can be ", t4::kSharedBytesPerMultiprocessor / bytes);
  return {};
}

} // namespace

Result<void> checkTile(const DecodeTileRequest& request, const DecodeTile& tile) {
  LLCUDA_RETURN_IF_ERROR(checkPower("ahead", tile.ahead, 8));
  if (request.weights == 0 || request.weights > 2 || request.inputRows == 0 || request.inputRows > kMaxDecodeRows)
    return unsupported("a block makes ", request.inputRows, " rows of ", request.weights, " weights; it can make 1 to ",
                       kMaxDecodeRows, " of one or two");
  if (const uint32_t blocks = request.columns / weightBlockBytes(request.layout).columns;
      tile.slices == 0 || tile.slices > std::max(blocks, 1u))
    return unsupported("slices is ", tile.slices, "; of ", request.columns, " inputs in ",
                       pack::layoutName(request.layout), " there can be 1 to ", blocks);
  if (tile.slices > t4::kThreadsPerBlock / 32)
    return unsupported("slices is ", tile.slices, "; a block has at most ", t4::kThreadsPerBlock / 32, " warps");
  LLCUDA_RETURN_IF_ERROR(checkThreads(tile.threads(request), tile.minBlocksPerSm));
  const uint32_t bytes = tile.slices * request.weights * request.inputRows * (kWeightTileRows + 4) * 4;
  if (bytes > t4::kStaticSharedBytes || bytes * tile.minBlocksPerSm > t4::kSharedBytesPerMultiprocessor)
    return unsupported("min_blocks_per_sm is ", tile.minBlocksPerSm, "; sums of ", tile.slices, " slices take ", bytes,
                       " bytes of shared memory each");
  return {};
}

Result<void> checkTile(const PromptTileRequest& request, const PromptTile& tile) {
  LLCUDA_RETURN_IF_ERROR(checkPower("columns", tile.columns, 256));
  LLCUDA_RETURN_IF_ERROR(checkPower("warps_down", tile.warpsDown, 16));
  LLCUDA_RETURN_IF_ERROR(checkPower("warps_across", tile.warpsAcross, 8));
  LLCUDA_RETURN_IF_ERROR(checkPower("warps_deep", tile.warpsDeep, 8));
  LLCUDA_RETURN_IF_ERROR(checkThreads(tile.threads(), tile.minBlocksPerSm));
  if (tile.rows % (16 * tile.warpsDown) != 0 || tile.rows > 256)
    return unsupported("rows is ", tile.rows, "; it can be a multiple of 16 for each of ", tile.warpsDown,
                       " warps, up to 256");
  if (tile.rows / tile.warpsDown < 16 || tile.columns / tile.warpsAcross < 32)
    return unsupported("a warp makes ", tile.rows / tile.warpsDown, " rows and ", tile.columns / tile.warpsAcross,
                       " columns; it needs 16 and 32");
  if (tile.rows * tile.columns * tile.warpsDeep > kMaxSums * tile.threads())
    return unsupported("a lane has ", tile.rows * tile.columns * tile.warpsDeep / tile.threads(), " sums; it can have ",
                       kMaxSums);
  if (request.gated && tile.columns < 64)
    return unsupported("columns is ", tile.columns, "; a tile of gate and up needs 64");
  if (!std::ranges::all_of(request.layouts, weightTakesTensorCores))
    return checkFloatTile(tile);
  return checkShared(request, tile);
}

} // namespace llcuda::codegen
