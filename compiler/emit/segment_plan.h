// SPDX-License-Identifier: Apache-2.0
// Where weights and constants lie in their segments, and which weights stay in their files.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/models/parameter.h"
#include "dialects/plan/Plan.h"
#include "runtime/base/result.h"
#include "runtime/schema/engine_generated.h"

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
/// With `refer`, refers to every weight that lies in a file as it is, and reads those once for their hash.
Result<WeightPlan> planWeights(plan::EngineOp engine, const ingest::Checkpoint& checkpoint, bool refer);

} // namespace llcuda::emit
