// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "compiler/models/model_config.h"

namespace llcuda::models {

/// Which of its factors longrope takes in a model that is compiled for `context` positions, and why; empty for another
/// scaling.
std::string longRopeNote(const RopeConfig& rope, uint32_t trainedContext, uint32_t context);

} // namespace llcuda::models
