// SPDX-License-Identifier: Apache-2.0
// GPU kernels in the cache of compiled kernels.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codegen/base/blob_cache.h"
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
  /// See BlobCache.
  explicit KernelCache(std::string folder) : blobs(std::move(folder)) {}

  std::optional<CompiledKernel> find(const std::string& key) const;
  Result<void> store(const std::string& key, const CompiledKernel& kernel) const;

private:
  BlobCache blobs;
};

} // namespace llcuda::codegen
