// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mlir/Pass/PassManager.h"

namespace llcuda::pipeline {

struct PipelineOptions {
  uint32_t maxContext = 0;
  uint32_t maxBatch = 1;
  std::vector<int64_t> promptRows; ///< chunk sizes, each with a phase of its own
  std::vector<std::string> skip;   ///< flags of fusions that are left out, to measure what they gain
};

/// The fusions that a plan can do without. The others make what no kernel does unfused.
inline constexpr std::string_view kFusions[] = {"llm-fuse-glu"};

/// The passes from an imported model to a plan with memory, in order.
void buildPipeline(mlir::OpPassManager& passes, const PipelineOptions& options);

} // namespace llcuda::pipeline
