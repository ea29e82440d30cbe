// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compiler/ingest/checkpoint.h"

namespace llcuda::ingest {

/// "tensor model.norm.weight of a/model.safetensors holds nan at its element 17; weights must be finite" is an error.
/// `bytes` are those of the tensor from its element `first` on.
Result<void> checkFinite(const Checkpoint& checkpoint, std::string_view name, const TensorBytes& bytes,
                         uint64_t first = 0);

/// The same for all tensors; reads them all.
Result<void> checkFinite(const Checkpoint& checkpoint);

} // namespace llcuda::ingest
