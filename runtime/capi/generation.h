// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "runtime/capi/session_state.h"

namespace llcuda::capi {

llcuda_generate_options defaultGenerateOptions();

/// Sequence::generate with the caller's options: text for its callback, stop tokens of the engine.
Result<void> generate(llcuda_session& session, std::span<const int32_t> tokens, const llcuda_generate_options* options);

llcuda_metrics metricsOf(const Metrics& metrics);

} // namespace llcuda::capi
