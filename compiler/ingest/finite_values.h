// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "compiler/ingest/checkpoint.h"

namespace llcuda::ingest {

/// "tensor model.norm.weight holds nan at its element 17", for the first of the tensors that holds NaN or an infinity;
/// empty when none does. Reads them all.
Result<std::string> nonFiniteValue(const Checkpoint& checkpoint);

} // namespace llcuda::ingest
