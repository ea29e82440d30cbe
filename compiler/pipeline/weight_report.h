// SPDX-License-Identifier: Apache-2.0
// What a user should know about the device layouts of a plan's weights.
#pragma once

#include <string>
#include <vector>

#include "dialects/plan/Plan.h"

namespace llcuda::pipeline {

/// A sentence about the weights that s8_planes hold because their encoding has no kernel of its own: how many, which
/// encodings, and what they cost. Empty without such weights.
std::vector<std::string> reencodedWeights(plan::EngineOp plan);

} // namespace llcuda::pipeline
