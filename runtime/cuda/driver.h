// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "runtime/cuda/cuda_abi.h"

namespace llcuda::cuda {

/// A function of the driver and its name for errors.
template <typename Signature>
struct DriverFunction;
template <typename... Parameters>
struct DriverFunction<CUresult(Parameters...)> {
  const char* name;
  CUresult (*call)(Parameters...) = nullptr;
};

/// The functions of driver_functions.inc. Those of a Driver are never null.
struct DriverTable {
#define LLCUDA_DRIVER_FUNCTION(symbol, ...) DriverFunction<CUresult(__VA_ARGS__)> symbol{#symbol};
#include "runtime/cuda/driver_functions.inc"
#undef LLCUDA_DRIVER_FUNCTION
};

enum class DriverKind {
  kCuda, ///< NVIDIA's, libcuda.so.1
  kHost, ///< hostsim, libllcuda-hostsim.so: looked for beside this library, in ../lib, and where the loader looks
};

struct DeviceInfo {
  std::string name;
  int major = 0, minor = 0; ///< compute capability; hostsim's is 0.0
  uint64_t totalBytes = 0;
  uint32_t multiprocessors = 0;
  uint32_t l2Bytes = 0;
  uint32_t sharedBytes = 0; ///< most that a block may ask for
};

/// A CUDA driver library that was loaded and initialised. It stays loaded until the process ends: threads of the driver
/// may run in it.
class Driver {
public:
  /// Fails with kNoDevice when there is no such library, when it lacks a function, or when it finds nothing to run on.
  /// `path` is the library's file; empty: see DriverKind.
  static Result<std::shared_ptr<const Driver>> open(DriverKind kind, const std::string& path = {});

  const DriverTable& functions() const { return table; }
  const std::string& path() const { return libraryPath; }
  /// 12040 for CUDA 12.4; hostsim says 0.
  int version() const { return cudaVersion; }

  Result<int> deviceCount() const;
  Result<DeviceInfo> deviceInfo(int ordinal) const;

  /// Calls a function of `functions()`. The error names it, what the driver answered, and `purpose`, which completes
  /// "... while": "copying the prompt". Running out of memory is kOutOfMemory, all else kInternal.
  template <typename... Parameters, typename... Arguments>
  Result<void> call(const DriverFunction<CUresult(Parameters...)>& function, std::string_view purpose,
                    Arguments... arguments) const {
    const CUresult result = function.call(arguments...);
    if (result == CUDA_SUCCESS) [[likely]]
      return {};
    return failed(function.name, result, purpose);
  }

  Error failed(const char* function, CUresult result, std::string_view purpose) const;

private:
  Driver() = default;
  Result<void> load(void* library);
  Result<void> initialise();

  DriverTable table;
  std::string libraryPath;
  int cudaVersion = 0;
};

} // namespace llcuda::cuda
