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

/// The weights: those of the segment, and behind its end, where nothing is stored, those that stay in their files.
struct WeightPlan {
  SegmentPlan embedded;
  SegmentPlan referenced; ///< offsets from the start of the embedded ones
  std::vector<fb::SourceFileT> files;
  std::vector<fb::WeightSourceT> sources; ///< one for each referenced weight; `buffer` is set by buildMetadata()
  uint64_t referencedBytes() const { return referenced.buffers.empty() ? 0 : referenced.bytes - embedded.bytes; }
};
/// Refers to every weight that `input.place` knows, and reads those once for their hash.
Result<WeightPlan> planWeights(const EmitInput& input);

/// The images segment, and where in it each kernel's images lie.
struct ImageSegment {
  std::string bytes;
  std::map<std::string, std::vector<fb::Image>> images; ///< by entry name
};
Result<ImageSegment> layOutImages(plan::EngineOp engine, const KernelImages& images);

/// What a plan says by itself: limits, kernels, buffers, phases. Places in segments and images are not in it.
fb::EngineT planRecord(plan::EngineOp plan);

/// The FlatBuffer of the metadata segment.
Result<std::string> buildMetadata(const EmitInput& input, const ImageSegment& images, const SegmentPlan& constants,
                                  const WeightPlan& weights);

} // namespace llcuda::emit
