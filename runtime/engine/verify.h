// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "runtime/base/result.h"
#include "runtime/engine/header.h"
#include "runtime/schema/engine_generated.h"

namespace llcuda {

/// Verifies the metadata segment against its schema and against the other segments. The pointer lies in the segment.
/// Guarantees, in words: verify_*.cpp, one per subject. `name` is for messages.
Result<const fb::Engine*> verifyMetadata(const EngineSegments& segments, const std::string& name);

} // namespace llcuda
