// SPDX-License-Identifier: Apache-2.0
// One source text to one compiled kernel, in this process.
#pragma once

#include <span>
#include <string>

#include "codegen/nvrtc/compiled_kernel.h"
#include "codegen/nvrtc/nvrtc_library.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

/// The options every kernel is compiled with, in order; they are recorded in the engine.
std::span<const char* const> nvrtcFlags();

/// `source` is a translation unit with one entry, whose includes are embedded headers; `name` is the entry's name and
/// appears in messages. Not thread-safe: threads do not make NVRTC faster, processes do (compile_kernels.h).
Result<CompiledKernel> compileSource(const NvrtcLibrary& nvrtc, const std::string& name, const std::string& source);

} // namespace llcuda::codegen
