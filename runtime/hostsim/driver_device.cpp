// SPDX-License-Identifier: Apache-2.0
// One device: the processors of this machine.
#include <algorithm>
#include <cstdio>
#include <thread>

#include "runtime/hostsim/driver_state.h"
#include "runtime/hostsim/shared_memory.h"

namespace llcuda::cuda {
namespace {

using hostsim::DriverCall;
using hostsim::DriverState;
using hostsim::Needs;
using hostsim::refuse;
using hostsim::serve;

CUresult noDevice(CUdevice device) {
  return refuse(CUDA_ERROR_INVALID_DEVICE, "there is no device " + std::to_string(device) + ", hostsim has one");
}

unsigned processors(const DriverState& state) {
  return state.threadCount != 0 ? state.threadCount : std::max(1u, std::thread::hardware_concurrency());
}

} // namespace

CUresult cuInit(unsigned flags) {
  return serve(DriverCall::cuInit, Needs::kNothing, [&](DriverState& state) {
    if (flags != 0)
      return refuse(CUDA_ERROR_INVALID_VALUE, "flags must be 0");
    const std::lock_guard lock(state.mutex);
    state.initialised = true;
    return CUDA_SUCCESS;
  });
}

CUresult cuDriverGetVersion(int* version) {
  return serve(DriverCall::cuDriverGetVersion, Needs::kNothing, [&](DriverState&) {
    *version = 0;
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGetCount(int* count) {
  return serve(DriverCall::cuDeviceGetCount, Needs::kDriver, [&](DriverState&) {
    *count = 1;
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  return serve(DriverCall::cuDeviceGet, Needs::kDriver, [&](DriverState&) {
    if (ordinal != 0)
      return noDevice(ordinal);
    *device = 0;
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGetName(char* name, int bytes, CUdevice device) {
  return serve(DriverCall::cuDeviceGetName, Needs::kDriver, [&](DriverState&) {
    if (device != 0)
      return noDevice(device);
    std::snprintf(name, static_cast<size_t>(bytes), "hostsim");
    return CUDA_SUCCESS;
  });
}

CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice device) {
  return serve(DriverCall::cuDeviceGetAttribute, Needs::kDriver, [&](DriverState& state) {
    if (device != 0)
      return noDevice(device);
    switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
      *value = hostsim::kMaxThreads;
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK:
      *value = hostsim::SharedMemory::kMaxStaticBytes;
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
      *value = hostsim::SharedMemory::kMaxBytes;
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_WARP_SIZE:
      *value = LLCUDA_HOST_WARP_LANES;
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
      *value = static_cast<int>(processors(state));
      return CUDA_SUCCESS;
    case CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE:
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
      *value = 0;
      return CUDA_SUCCESS;
    }
    return refuse(CUDA_ERROR_INVALID_VALUE, "hostsim does not know attribute " + std::to_string(attribute));
  });
}

CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice device) {
  return serve(DriverCall::cuDeviceTotalMem_v2, Needs::kDriver, [&](DriverState& state) {
    if (device != 0)
      return noDevice(device);
    *bytes = state.memory.size();
    return CUDA_SUCCESS;
  });
}

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device) {
  return serve(DriverCall::cuDevicePrimaryCtxRetain, Needs::kDriver, [&](DriverState& state) {
    if (device != 0)
      return noDevice(device);
    const std::lock_guard lock(state.mutex);
    ++state.contextShares;
    *context = hostsim::primaryContext();
    return CUDA_SUCCESS;
  });
}

CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  return serve(DriverCall::cuDevicePrimaryCtxRelease_v2, Needs::kDriver, [&](DriverState& state) {
    if (device != 0)
      return noDevice(device);
    const std::lock_guard lock(state.mutex);
    if (state.contextShares == 0)
      return refuse(CUDA_ERROR_INVALID_CONTEXT, "the context is not retained");
    if (--state.contextShares == 0)
      state.resetContext();
    return CUDA_SUCCESS;
  });
}

CUresult cuCtxSetCurrent(CUcontext context) {
  return serve(DriverCall::cuCtxSetCurrent, Needs::kDriver, [&](DriverState& state) {
    const std::lock_guard lock(state.mutex);
    if (context && (context != hostsim::primaryContext() || state.contextShares == 0))
      return refuse(CUDA_ERROR_INVALID_CONTEXT, "the context is gone");
    hostsim::currentContext() = context;
    return CUDA_SUCCESS;
  });
}

} // namespace llcuda::cuda
