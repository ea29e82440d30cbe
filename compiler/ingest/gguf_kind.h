// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "compiler/ingest/gguf_reader.h"
#include "runtime/base/result.h"

namespace llcuda::ingest {

/// Refuses a GGUF file that is no model but goes with one (an adapter, a projector of images, an importance matrix),
/// and says what it is and what to give instead.
Result<void> checkHoldsModel(const GgufFile& file);

} // namespace llcuda::ingest
