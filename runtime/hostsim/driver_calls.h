// SPDX-License-Identifier: Apache-2.0
// Counts of the driver's calls, and the faults that tests ask for.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "runtime/cuda/cuda_abi.h"

namespace llcuda::hostsim {

enum class DriverCall : size_t {
#define LLCUDA_DRIVER_FUNCTION(symbol, ...) symbol,
#include "runtime/cuda/driver_functions.inc"
#undef LLCUDA_DRIVER_FUNCTION
};

inline constexpr const char* kDriverCallNames[] = {
#define LLCUDA_DRIVER_FUNCTION(symbol, ...) #symbol,
#include "runtime/cuda/driver_functions.inc"
#undef LLCUDA_DRIVER_FUNCTION
};
inline constexpr size_t kDriverCallCount = sizeof(kDriverCallNames) / sizeof(kDriverCallNames[0]);

class DriverCalls {
public:
  /// Counts the call; what it shall answer at once if a fault strikes it, else CUDA_SUCCESS.
  cuda::CUresult count(DriverCall call);

  /// See control.h. An empty name stands for every function. False: there is no function of this name.
  bool inject(std::string_view function, uint64_t nth, cuda::CUresult result);
  bool struck() const;
  uint64_t calls(std::string_view function) const;

private:
  mutable std::mutex mutex;
  std::array<uint64_t, kDriverCallCount> counts{};
  size_t target = kDriverCallCount; // kDriverCallCount: any
  uint64_t left = 0;                // calls until the fault strikes, this one included; 0: none is armed
  cuda::CUresult answer = cuda::CUDA_SUCCESS;
  bool hasStruck = false;
};

} // namespace llcuda::hostsim
