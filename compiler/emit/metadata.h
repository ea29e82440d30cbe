// SPDX-License-Identifier: Apache-2.0
// The plan as records of engine.fbs.
#pragma once

#include "compiler/emit/emit_engine.h"

namespace llcuda::emit {

/// The weights and constants of a plan in the order in which they lie in their segments.
struct SegmentPlan {
  std::vector<plan::BufferOp> buffers;
  std::vector<uint64_t> offsets; ///< of each, from the segment's start
  uint64_t bytes = 0;
};
SegmentPlan planSegment(plan::EngineOp engine, plan::BufferKind kind);

/// The images segment, and where in it each kernel's images lie.
struct ImageSegment {
  std::string bytes;
  std::map<std::string, std::vector<fb::Image>> images; ///< by entry name
};
Result<ImageSegment> layOutImages(plan::EngineOp engine, const KernelImages& images);

/// The FlatBuffer of the metadata segment.
Result<std::string> buildMetadata(const EmitInput& input, const ImageSegment& images, const SegmentPlan& constants,
                                  const SegmentPlan& weights);

} // namespace llcuda::emit
