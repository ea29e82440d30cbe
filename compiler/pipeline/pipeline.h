// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "mlir/Pass/PassManager.h"

namespace llcuda::pipeline {

struct PipelineOptions {
  uint32_t maxContext = 0;
  uint32_t maxBatch = 1;
  std::vector<int64_t> promptRows; ///< chunk sizes, each with a phase of its own
};

/// The passes from an imported model to a plan with memory, in order.
void buildPipeline(mlir::OpPassManager& passes, const PipelineOptions& options);

} // namespace llcuda::pipeline
