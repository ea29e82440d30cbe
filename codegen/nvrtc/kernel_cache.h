// SPDX-License-Identifier: Apache-2.0
// Compiled kernels on disk, found by what they were made from. Several programs may use one folder at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codegen/nvrtc/compiled_kernel.h"
#include "codegen/nvrtc/nvrtc_library.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

/// 32 hexadecimal digits over everything that a compiled kernel depends on: the source, the headers it includes, the
/// flags, the NVRTC library.
std::string kernelKey(const NvrtcLibrary& nvrtc, std::string_view source);

/// The same over all embedded headers: equal in two programs that compile a source alike.
std::string headersKey();

class KernelCache {
public:
  /// `folder` need not exist; with an empty one nothing is found and nothing stored.
  explicit KernelCache(std::string folder) : folder(std::move(folder)) {}

  /// A file that is damaged in any way counts as absent.
  std::optional<CompiledKernel> find(const std::string& key) const;

  /// Written beside its final name and renamed, so a reader sees all of it or nothing.
  Result<void> store(const std::string& key, const CompiledKernel& kernel) const;

private:
  std::string fileOf(const std::string& key) const;
  std::string folder;
};

} // namespace llcuda::codegen
