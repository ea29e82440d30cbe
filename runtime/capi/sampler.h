// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "codegen/formats/sampling.h"
#include "llcuda/llcuda.h"
#include "runtime/base/result.h"

namespace llcuda::capi {

llcuda_sampler defaultSampler();

/// The sampler of a caller, who may have given none, with its seed decided. kUsage names the field that is out of
/// range; kUnsupported what would be active and is not there.
Result<SamplingParams> samplerOf(const llcuda_sampler* given, uint32_t vocabulary);

} // namespace llcuda::capi
