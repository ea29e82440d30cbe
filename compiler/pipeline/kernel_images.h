// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "codegen/spec/kernel_spec.h"
#include "compiler/emit/emit_engine.h"
#include "compiler/pipeline/compile.h"

namespace llcuda::pipeline {

struct CompiledImages {
  emit::KernelImages images;
  fb::CompilerT compiler; ///< what the engine records of how they were made
};

/// The images of every spec for the targets that the options name; counts kernels, cache hits and spills in `report`.
Result<CompiledImages> makeKernelImages(std::span<const codegen::KernelSpec> specs, const CompileOptions& options,
                                        CompileReport& report);

} // namespace llcuda::pipeline
