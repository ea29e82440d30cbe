// SPDX-License-Identifier: Apache-2.0
// The kernels of a plan as codegen's kernel compilers take them, and their answers as the emitter takes those.
#pragma once

#include <vector>

#include "codegen/spec/kernel_spec.h"
#include "dialects/plan/Plan.h"

namespace llcuda::emit {

/// One spec for each plan.kernel, in their order.
std::vector<codegen::KernelSpec> kernelSpecs(plan::EngineOp engine);

} // namespace llcuda::emit
