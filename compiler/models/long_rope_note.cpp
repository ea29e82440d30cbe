// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/long_rope_note.h"

#include "runtime/base/result.h"

namespace llcuda::models {

std::string longRopeNote(const RopeConfig& rope, uint32_t trainedContext, uint32_t context) {
  if (rope.scaling != RopeScaling::kLongRope)
    return {};
  const uint32_t original = rope.originalContext != 0 ? rope.originalContext : trainedContext;
  const bool isLong = context > original;
  return detail::concat("longrope takes its ", isLong ? "long" : "short", " factors, for texts of any length: -c ",
                        context, isLong ? " is more than" : " is within", " the ", original,
                        " positions before scaling",
                        isLong ? "; short texts are closer to the model with -c " + std::to_string(original) : "");
}

} // namespace llcuda::models
