// SPDX-License-Identifier: Apache-2.0
#include "runtime/hostsim/driver_state.h"

namespace llcuda::cuda {
namespace {

using hostsim::CopyWork;
using hostsim::DeviceMemory;
using hostsim::DriverCall;
using hostsim::DriverState;
using hostsim::FillWork;
using hostsim::Needs;
using hostsim::refuse;
using hostsim::serve;

void* pointerOf(CUdeviceptr address) {
  return reinterpret_cast<void*>(address);
}

std::string bytesAt(size_t bytes, const void* address) {
  return detail::concat(bytes, " bytes at ", address);
}

CUresult outside(const DriverState& state, size_t bytes, const void* address) {
  return refuse(CUDA_ERROR_INVALID_VALUE,
                bytesAt(bytes, address) + " are not in one allocation: " + state.memory.describe(address));
}

CUresult allocate(DriverState& state, void** pointer, size_t bytes, DeviceMemory::Kind kind) {
  if (!pointer || bytes == 0)
    return refuse(CUDA_ERROR_INVALID_VALUE, "an allocation of no bytes");
  if (const CUresult result = refuseInCapture(state); result != CUDA_SUCCESS)
    return result;
  *pointer = state.memory.allocate(bytes, kind);
  if (!*pointer)
    return refuse(CUDA_ERROR_OUT_OF_MEMORY, detail::concat(bytes, " bytes asked for, ", state.memory.freeBytes(),
                                                           " of ", state.memory.size(), " are free"));
  return CUDA_SUCCESS;
}

CUresult release(DriverState& state, void* pointer, DeviceMemory::Kind kind) {
  if (!pointer)
    return CUDA_SUCCESS;
  if (const CUresult result = refuseInCapture(state); result != CUDA_SUCCESS)
    return result;
  switch (state.memory.free(pointer, kind)) {
  case DeviceMemory::Freed::kYes:
    return CUDA_SUCCESS;
  case DeviceMemory::Freed::kUnknown:
    return refuse(CUDA_ERROR_INVALID_VALUE, detail::concat(pointer, " is not the start of an allocation"));
  case DeviceMemory::Freed::kOverrun:
    break;
  }
  return refuse(CUDA_ERROR_ILLEGAL_ADDRESS, detail::concat("bytes past the end of the allocation at ", pointer,
                                                           " were written before it was freed"));
}

CUresult checkDevice(const DriverState& state, CUdeviceptr address, size_t bytes) {
  const void* pointer = pointerOf(address);
  return state.memory.contains(pointer, bytes, DeviceMemory::Kind::kDevice) ? CUDA_SUCCESS
                                                                            : outside(state, bytes, pointer);
}

CUresult runInStream(DriverState& state, CUdeviceptr device, size_t bytes, CUstream stream, hostsim::Work work) {
  if (bytes == 0)
    return CUDA_SUCCESS;
  const CUresult result = checkDevice(state, device, bytes);
  return result == CUDA_SUCCESS ? submit(state, stream, std::move(work)) : result;
}

} // namespace

CUresult cuMemGetInfo_v2(size_t* freeBytes, size_t* totalBytes) {
  return serve(DriverCall::cuMemGetInfo_v2, Needs::kContext, [&](DriverState& state) {
    *freeBytes = state.memory.freeBytes();
    *totalBytes = state.memory.size();
    return CUDA_SUCCESS;
  });
}

CUresult cuMemAlloc_v2(CUdeviceptr* pointer, size_t bytes) {
  return serve(DriverCall::cuMemAlloc_v2, Needs::kContext, [&](DriverState& state) {
    return allocate(state, reinterpret_cast<void**>(pointer), bytes, DeviceMemory::Kind::kDevice);
  });
}

CUresult cuMemFree_v2(CUdeviceptr pointer) {
  return serve(DriverCall::cuMemFree_v2, Needs::kContext,
               [&](DriverState& state) { return release(state, pointerOf(pointer), DeviceMemory::Kind::kDevice); });
}

CUresult cuMemHostAlloc(void** pointer, size_t bytes, unsigned) {
  return serve(DriverCall::cuMemHostAlloc, Needs::kContext,
               [&](DriverState& state) { return allocate(state, pointer, bytes, DeviceMemory::Kind::kPinned); });
}

CUresult cuMemFreeHost(void* pointer) {
  return serve(DriverCall::cuMemFreeHost, Needs::kContext,
               [&](DriverState& state) { return release(state, pointer, DeviceMemory::Kind::kPinned); });
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, CUstream stream) {
  return serve(DriverCall::cuMemcpyHtoDAsync_v2, Needs::kContext, [&](DriverState& state) {
    return runInStream(state, to, bytes, stream, CopyWork{pointerOf(to), from, bytes});
  });
}

CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return serve(DriverCall::cuMemcpyDtoHAsync_v2, Needs::kContext, [&](DriverState& state) {
    return runInStream(state, from, bytes, stream, CopyWork{to, pointerOf(from), bytes});
  });
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  return serve(DriverCall::cuMemcpyDtoDAsync_v2, Needs::kContext, [&](DriverState& state) {
    if (const CUresult result = checkDevice(state, from, bytes); result != CUDA_SUCCESS)
      return result;
    return runInStream(state, to, bytes, stream, CopyWork{pointerOf(to), pointerOf(from), bytes});
  });
}

CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t bytes, CUstream stream) {
  return serve(DriverCall::cuMemsetD8Async, Needs::kContext, [&](DriverState& state) {
    return runInStream(state, to, bytes, stream, FillWork{pointerOf(to), value, bytes});
  });
}

} // namespace llcuda::cuda
