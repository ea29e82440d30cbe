// SPDX-License-Identifier: Apache-2.0
#include "runtime/cuda/context.h"

namespace llcuda::cuda {

Result<std::shared_ptr<const Context>> Context::create(std::shared_ptr<const Driver> driver, int ordinal) {
  LLCUDA_ASSIGN_OR_RETURN(const int count, driver->deviceCount());
  if (ordinal < 0 || ordinal >= count)
    return makeError(ErrorCode::kNoDevice, "there is no device ", ordinal, ", the driver has ", count);
  std::shared_ptr<Context> context(new Context());
  LLCUDA_ASSIGN_OR_RETURN(context->info, driver->deviceInfo(ordinal));
  CUdevice device = 0;
  LLCUDA_RETURN_IF_ERROR(driver->call(driver->functions().cuDeviceGet, "opening the device", &device, ordinal));
  context->ordinal = device;
  CUcontext handle = nullptr;
  LLCUDA_RETURN_IF_ERROR(
      driver->call(driver->functions().cuDevicePrimaryCtxRetain, "opening the device", &handle, device));
  context->handle = handle;
  context->owner = std::move(driver);
  return std::shared_ptr<const Context>(std::move(context));
}

Context::~Context() {
  if (handle)
    functions().cuDevicePrimaryCtxRelease_v2.call(ordinal);
}

Result<MemoryInfo> Context::memoryInfo() const {
  size_t freeBytes = 0, totalBytes = 0;
  LLCUDA_RETURN_IF_ERROR(call(functions().cuMemGetInfo_v2, "asking for free memory", &freeBytes, &totalBytes));
  return MemoryInfo{freeBytes, totalBytes};
}

} // namespace llcuda::cuda
