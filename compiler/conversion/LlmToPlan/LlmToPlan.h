// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "codegen/spec/tile_table.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace llcuda {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/conversion/LlmToPlan/LlmToPlan.h.inc"

/// The pass with the exceptions of `tiles`. `requests` gets those of the plan's kernels; it may be null.
std::unique_ptr<mlir::Pass> createLlmToPlan(LlmToPlanOptions options, codegen::TileTable tiles,
                                            codegen::TileRequests* requests);
} // namespace llcuda
