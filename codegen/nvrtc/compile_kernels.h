// SPDX-License-Identifier: Apache-2.0
// All kernels of an engine to sm_75 machine code and PTX: from the cache, else by worker processes.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/nvrtc/compiled_kernel.h"
#include "codegen/nvrtc/nvrtc_library.h"
#include "codegen/spec/kernel_spec.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

struct KernelProgress {
  size_t done;  ///< kernels that are ready
  size_t total; ///< distinct kernels
  std::string_view name;
  bool cached;
};

struct KernelCompileOptions {
  NvrtcSearch nvrtc;
  std::string cacheFolder; ///< empty: no cache
  /// Starts a program that calls runKernelWorker(kWorkerDescriptor); the first element is a path. Empty: kernels are
  /// compiled in this process, one after another.
  std::vector<std::string> workerCommand;
  unsigned jobs = 1; ///< worker processes at a time; what comes out does not depend on it
  std::function<void(const KernelProgress&)> progress;
};

struct CompiledKernels {
  std::vector<CompiledKernel> kernels; ///< of the specs, in their order
  std::string nvrtcVersion;            ///< "12.9"
  std::vector<std::string> flags;
  size_t cacheHits = 0;
  std::string cacheWarning; ///< why kernels could not be stored; empty when all were
};

/// Each distinct source is compiled once. Fails with the first kernel that does not compile; a worker that dies is an
/// error that names its kernel.
Result<CompiledKernels> compileKernels(std::span<const KernelSpec> specs, const KernelCompileOptions& options);

} // namespace llcuda::codegen
