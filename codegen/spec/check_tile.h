// SPDX-License-Identifier: Apache-2.0
// Whether kernels exist for a tile that no formula chose.
#pragma once

#include "codegen/spec/tile_table.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

/// kUnsupported with the first number that the kernels' assertions, a block or a multiprocessor of a T4 refuse. A tile
/// that passes compiles; its registers may still spill.
Result<void> checkTile(const DecodeTileRequest& request, const DecodeTile& tile);
Result<void> checkTile(const PromptTileRequest& request, const PromptTile& tile);

} // namespace llcuda::codegen
