// SPDX-License-Identifier: Apache-2.0
// Kernels to a host image: a shared library that hostsim loads, runtime/base/hostsim_abi.h.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "codegen/spec/kernel_spec.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

struct HostCompileOptions {
  std::string compiler;    ///< a C++ compiler of the GCC family, by path or by name
  std::string cacheFolder; ///< of compiled kernels; empty: no cache
  unsigned jobs = 1;       ///< compilers at a time; what comes out does not depend on it
  std::function<void(size_t done, size_t total)> progress; ///< kernels
};

struct CompiledHostImage {
  std::string bytes;
  std::string compilerVersion; ///< as the compiler tells it
  size_t cacheHits = 0;        ///< translation units
  std::string cacheWarning;    ///< why something could not be stored; empty when all was
};

/// One image with all the kernels, one translation unit each. Its bytes depend on the kernels, the headers and
/// the compiler's version alone: not on folders, on the order of `specs` or on this machine's processor.
/// Fails with kUnsupported when the compiler does not run, with kInternal when it refuses a kernel, which it names.
Result<CompiledHostImage> compileHostImage(std::span<const KernelSpec> specs, const HostCompileOptions& options);

} // namespace llcuda::codegen
