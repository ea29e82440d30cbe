// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/models/model_config.h"

namespace llcuda::models {

/// What llm.rope_table holds.
struct RopeAngles {
  std::vector<double> frequencies; ///< radians a position, for each pair
  double magnitude = 1;            ///< of cosines and sines

  bool operator==(const RopeAngles&) const = default;
};

/// The angles of a model that is compiled for sequences of up to `context` positions: longrope takes its long factors
/// where that is more than the original context, once for all positions. `rope` has as many factors and divisors as
/// pairs, or none.
RopeAngles ropeAngles(const RopeConfig& rope, uint32_t trainedContext, uint32_t context);

} // namespace llcuda::models
