// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/prompt_tile.h"

#include <algorithm>

#include "codegen/spec/kernel_spec.h"
#include "codegen/spec/source_text.h"
#include "codegen/spec/t4.h"

namespace llcuda::codegen {
namespace {

bool any(const PromptTileRequest& request, WeightLayout layout) {
  return std::ranges::find(request.layouts, layout) != request.layouts.end();
}

/// Layouts whose units take more registers on their way to shared memory, or scales of 16 weights more of both.
bool isLarge(WeightLayout layout) {
  return layout == WeightLayout::kQ2_KPlanes || layout == WeightLayout::kQ3_KPlanes ||
         layout == WeightLayout::kQ6_KPlanes || layout == WeightLayout::kQ8_0Planes ||
         layout == WeightLayout::kS8Planes;
}

PromptTile tileOfF32(const PromptTileRequest& request) {
  return request.rows <= 32 ? PromptTile{32, 64, 2, 2, 1, 2} : PromptTile{64, 32, 4, 1, 1, 2};
}

PromptTile tileOfFewRows(const PromptTileRequest& request) {
  const uint32_t rows = request.rows <= 16 ? 16 : 32;
  const bool wide = request.gated || request.columns >= 64 * 4 * t4::kMultiprocessors;
  if (!std::ranges::all_of(request.layouts, weightReadsInt8Rows)) // stages of f16 are twice as large
    return wide ? PromptTile{rows, 64, 1, 2, 2, 2} : PromptTile{rows, 32, 1, 1, 2, 3};
  return wide ? PromptTile{rows, 64, 1, 2, 4, 2} : PromptTile{rows, 32, 1, 1, 4, 3};
}

// Three blocks of 64 x 64 to a multiprocessor hide more than one of 128 x 128 (8B and 3B, Q4_K: 12 % faster); a gated tile,
// whose columns are half as many, gains as much by 128 rows where its layout leaves the registers.
PromptTile tileOfManyRows(const PromptTileRequest& request) {
  const bool fills = divideUp(request.rows, 128) * divideUp(request.columns, 64) >= 3 * t4::kMultiprocessors;
  if (request.gated && request.rows > 64 && fills && std::ranges::none_of(request.layouts, isLarge))
    return {128, 64, 2, 2, 1, 2};
  return {64, 64, 2, 2, 1, 3};
}

} // namespace

std::string PromptTile::text() const {
  return "llcuda::PromptLinearTile<" + listText(rows, columns, warpsDown, warpsAcross, warpsDeep) + ">";
}

std::string PromptTile::name() const {
  return "r" + std::to_string(rows) + "_n" + std::to_string(columns) + "_t" + std::to_string(threads());
}

PromptTile choosePromptTile(const PromptTileRequest& request) {
  if (any(request, WeightLayout::kF32Rows))
    return tileOfF32(request);
  PromptTile tile = request.rows <= 32 ? tileOfFewRows(request) : tileOfManyRows(request);
  if (std::ranges::any_of(request.layouts, isLarge) && tile.minBlocksPerSm > 1)
    --tile.minBlocksPerSm;
  return tile;
}

} // namespace llcuda::codegen
