// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/conversion/LlmToPlan/LlmToPlan.h"
#include "mlir/Pass/PassManager.h"

namespace llcuda::pipeline {

struct PipelineOptions {
  uint32_t maxContext = 0;
  uint32_t maxBatch = 1;
  std::vector<int64_t> promptRows; ///< chunk sizes, each with a phase of its own
  bool batchInvariant = false;     ///< a row's bits do not depend on other rows
  std::vector<std::string> skip;   ///< of kFusions: left out, to measure what they gain
  codegen::TileTable tiles;
  codegen::TileRequests* tileRequests = nullptr; ///< gets those of the plan's kernels
};

/// The fusions, by the flag of the pass that makes them. Without llm-fuse-qkv or llm-fuse-glu the linears of a layer
/// take a launch each. Without one of the others decode phases take one launch for the linears and one for what follows
/// them.
inline constexpr std::string_view kFusions[] = {"llm-fuse-qkv", "llm-fuse-glu", "llm-fuse-residual-norm",
                                                "llm-fuse-rope-cache"};

/// The passes from an imported model to a plan with memory, in order.
void buildPipeline(mlir::OpPassManager& passes, const PipelineOptions& options);

} // namespace llcuda::pipeline
