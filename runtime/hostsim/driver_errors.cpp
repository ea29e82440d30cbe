// SPDX-License-Identifier: Apache-2.0
#include "runtime/hostsim/driver_errors.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "runtime/hostsim/driver_state.h"

namespace llcuda::hostsim {
namespace {

#define LLCUDA_ERROR(name, text)                                                                                       \
  { name, #name, text }
constexpr ErrorText kErrors[] = {
    LLCUDA_ERROR(CUDA_SUCCESS, "no error"),
    LLCUDA_ERROR(CUDA_ERROR_INVALID_VALUE, "invalid argument"),
    LLCUDA_ERROR(CUDA_ERROR_OUT_OF_MEMORY, "out of memory"),
    LLCUDA_ERROR(CUDA_ERROR_NOT_INITIALIZED, "initialization error"),
    LLCUDA_ERROR(CUDA_ERROR_DEINITIALIZED, "driver shutting down"),
    LLCUDA_ERROR(CUDA_ERROR_STUB_LIBRARY, "stub library"),
    LLCUDA_ERROR(CUDA_ERROR_DEVICE_UNAVAILABLE, "device busy or unavailable"),
    LLCUDA_ERROR(CUDA_ERROR_NO_DEVICE, "no device"),
    LLCUDA_ERROR(CUDA_ERROR_INVALID_DEVICE, "invalid device ordinal"),
    LLCUDA_ERROR(CUDA_ERROR_INVALID_IMAGE, "invalid kernel image"),
    LLCUDA_ERROR(CUDA_ERROR_INVALID_CONTEXT, "invalid device context"),
    LLCUDA_ERROR(CUDA_ERROR_NO_BINARY_FOR_GPU, "no kernel image for this device"),
    LLCUDA_ERROR(CUDA_ERROR_INVALID_PTX, "invalid PTX"),
    LLCUDA_ERROR(CUDA_ERROR_JIT_COMPILER_NOT_FOUND, "PTX compiler not found"),
    LLCUDA_ERROR(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, "unsupported PTX version"),
    LLCUDA_ERROR(CUDA_ERROR_OPERATING_SYSTEM, "operating system call failed"),
    LLCUDA_ERROR(CUDA_ERROR_INVALID_HANDLE, "invalid handle"),
    LLCUDA_ERROR(CUDA_ERROR_NOT_FOUND, "symbol not found"),
    LLCUDA_ERROR(CUDA_ERROR_NOT_READY, "not ready"),
    LLCUDA_ERROR(CUDA_ERROR_ILLEGAL_ADDRESS, "illegal memory access"),
    LLCUDA_ERROR(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "too many resources for a launch"),
    LLCUDA_ERROR(CUDA_ERROR_LAUNCH_TIMEOUT, "launch timed out"),
    LLCUDA_ERROR(CUDA_ERROR_MISALIGNED_ADDRESS, "misaligned address"),
    LLCUDA_ERROR(CUDA_ERROR_LAUNCH_FAILED, "launch failed"),
    LLCUDA_ERROR(CUDA_ERROR_NOT_SUPPORTED, "not supported"),
    LLCUDA_ERROR(CUDA_ERROR_SYSTEM_NOT_READY, "system not ready"),
    LLCUDA_ERROR(CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, "driver and library do not match"),
    LLCUDA_ERROR(CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE, "compatibility mode not supported on this device"),
    LLCUDA_ERROR(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "not permitted while a stream captures"),
    LLCUDA_ERROR(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "the capture was invalidated"),
    LLCUDA_ERROR(CUDA_ERROR_UNKNOWN, "unknown error"),
};
#undef LLCUDA_ERROR

/// The last refusal of the thread, as cuGetErrorString tells it.
struct Refusal {
  CUresult result = CUDA_SUCCESS;
  std::string text;
};
Refusal& lastRefusal() {
  thread_local Refusal refusal;
  return refusal;
}

} // namespace

const ErrorText* errorText(CUresult result) {
  const auto* found = std::find_if(std::begin(kErrors), std::end(kErrors),
                                   [&](const ErrorText& error) { return error.result == result; });
  return found == std::end(kErrors) ? nullptr : found;
}

CUresult refuse(CUresult result, const std::string& why) {
  const ErrorText* error = errorText(result);
  lastRefusal() = {result, (error ? error->text : "error " + std::to_string(result)) + std::string(": ") + why};
  return result;
}

} // namespace llcuda::hostsim

namespace llcuda::cuda {

CUresult cuGetErrorName(CUresult error, const char** name) {
  const auto* known = hostsim::errorText(error);
  *name = known ? known->name : nullptr;
  return known ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuGetErrorString(CUresult error, const char** text) {
  const auto* known = hostsim::errorText(error);
  const auto& refusal = hostsim::lastRefusal();
  if (known)
    *text = refusal.result == error && error != CUDA_SUCCESS ? refusal.text.c_str() : known->text;
  else
    *text = nullptr;
  return known ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

} // namespace llcuda::cuda
