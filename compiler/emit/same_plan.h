// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/base/result.h"
#include "runtime/schema/engine_generated.h"

namespace llcuda::emit {

/// Whether an engine with the record `engine` computes what `fresh` says, weights and constants aside: the same
/// hyperparameters, buffers, kernels with the same source, and launches. kUnsupported names the first difference.
Result<void> checkSamePlan(const fb::EngineT& engine, const fb::EngineT& fresh);

} // namespace llcuda::emit
