// SPDX-License-Identifier: Apache-2.0
// How the tests of this folder compile kernels.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "codegen/nvrtc/compile_kernels.h"

namespace llcuda::codegen {

/// NVRTC of the build's Python environment, the worker beside the test, and the cache that all tests of the build
/// share.
inline KernelCompileOptions buildOptions() {
  const char* build = std::getenv("LLCUDA_BUILD");
  const char* environment = std::getenv("VIRTUAL_ENV");
  KernelCompileOptions options;
  options.nvrtc = usualSearch("", build ? build + std::string("/bin") : "", environment ? environment : "", "");
  options.workerCommand = {(std::filesystem::read_symlink("/proc/self/exe").parent_path() / "kernel_worker").string()};
  options.jobs = 2;
  if (build)
    options.cacheFolder = build + std::string("/cache/llcuda");
  return options;
}

} // namespace llcuda::codegen
