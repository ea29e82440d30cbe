// SPDX-License-Identifier: Apache-2.0
// The plan as records of engine.fbs.
#pragma once

#include "compiler/emit/emit_engine.h"

namespace llcuda::emit {

/// The images segment, and where in it each kernel's images lie.
struct ImageSegment {
  std::string bytes;
  std::map<std::string, std::vector<fb::Image>> images; ///< by entry name
};
Result<ImageSegment> layOutImages(plan::EngineOp engine, const KernelImages& images);

/// What a plan says by itself: limits, kernels, buffers, phases. Places in segments and images are not in it.
fb::EngineT planRecord(plan::EngineOp plan);

/// The FlatBuffer of the metadata segment. `weightPieces`: as EngineWriter::weightPieces() gives them.
Result<std::string> buildMetadata(const EmitInput& input, const EmitResults& results, const ImageSegment& images,
                                  const SegmentPlan& constants, const WeightPlan& weights,
                                  std::vector<uint64_t> weightPieces);

} // namespace llcuda::emit
