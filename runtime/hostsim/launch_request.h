// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/hostsim_abi.h"

namespace llcuda::hostsim {

inline constexpr uint32_t kMaxThreads = 1024; ///< per block

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
  constexpr Dim3() = default;
  constexpr Dim3(uint32_t x, uint32_t y = 1, uint32_t z = 1) : x(x), y(y), z(z) {}
};

/// One launch. What it points to outlives it.
struct LaunchRequest {
  const char* name = "kernel"; ///< for errors
  Dim3 grid;
  uint32_t threads = 1; ///< per block
  uint32_t dynamicSharedBytes = 0;
  LlcudaHostBody body = nullptr;
  void* const* arguments = nullptr;

  /// What is known about an address that a thread could not access: "12 bytes past the end of ...". May be null.
  std::string (*describeAddress)(const void* owner, const void* address) = nullptr;
  const void* owner = nullptr;
};

} // namespace llcuda::hostsim
