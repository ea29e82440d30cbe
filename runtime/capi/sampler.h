// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "llcuda/llcuda.h"
#include "runtime/base/result.h"
#include "runtime/capi/engine_state.h"
#include "runtime/exec/sampler.h"

namespace llcuda::capi {

llcuda_sampler defaultSampler();
/// With what the model says, whose strings live as long as `config`.
llcuda_sampler defaultSampler(const text::TextConfig& config);

/// The sampler of a caller, who may have given none, with its seed decided. kUsage names the field that is out of
/// range; kUnsupported: sequence breakers of dry, and the engine has no tokenizer.
Result<Sampler> samplerOf(const llcuda_sampler* given, EngineState& engine);

} // namespace llcuda::capi
