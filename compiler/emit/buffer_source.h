// SPDX-License-Identifier: Apache-2.0
// The bytes behind a weight or a constant of the plan.
#pragma once

#include <cstddef>
#include <vector>

#include "compiler/models/parameter.h"
#include "dialects/plan/Plan.h"
#include "runtime/base/result.h"

namespace llcuda::emit {

/// What `buffer`, a weight or a constant, holds on the device; exactly `buffer.getBytes()` bytes. Packs weights into
/// the layout that the source names. Fails when the checkpoint lacks the tensor or holds it in another encoding or
/// size, and when the plan's size is not that of the bytes.
Result<std::vector<std::byte>> bufferBytes(plan::BufferOp buffer, const ingest::Checkpoint& checkpoint);

/// The bytes of the checkpoint that a weight or a vector names, checked against it as above. A value that is no finite
/// number is an error.
Result<models::TensorBytes> sourceRows(plan::TensorAttr source, const ingest::Checkpoint& checkpoint);

} // namespace llcuda::emit
