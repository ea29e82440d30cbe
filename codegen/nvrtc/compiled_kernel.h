// SPDX-License-Identifier: Apache-2.0
// What NVRTC made of one kernel, and its form in the cache and between processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace llcuda::codegen {

struct CompiledKernel {
  std::string cubin;              ///< machine code for SM 7.5
  std::string ptx;                ///< for newer GPUs, `.target sm_75` of the version in ptx_version.h, without a NUL
  uint32_t registers = 0;         ///< per thread
  uint32_t staticSharedBytes = 0; ///< per block
  uint32_t spillBytes = 0;        ///< stores plus loads
  std::string log;                ///< warnings; empty as a rule

  bool operator==(const CompiledKernel&) const = default;
};

/// Bytes that `parseKernel` reads back.
std::string serializeKernel(const CompiledKernel& kernel);
/// std::nullopt when the bytes are not those of a kernel.
std::optional<CompiledKernel> parseKernel(std::string_view bytes);

} // namespace llcuda::codegen
