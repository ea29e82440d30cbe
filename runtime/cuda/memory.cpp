// SPDX-License-Identifier: Apache-2.0
#include "runtime/cuda/memory.h"

namespace llcuda::cuda {

Result<DeviceMemory> DeviceMemory::allocate(std::shared_ptr<const Context> context, uint64_t bytes,
                                            std::string_view purpose) {
  DeviceMemory result;
  if (bytes == 0)
    return result;
  CUdeviceptr address = 0;
  auto allocated = context->call(context->functions().cuMemAlloc_v2, purpose, &address, static_cast<size_t>(bytes));
  if (!allocated) {
    if (allocated.error().code != ErrorCode::kOutOfMemory)
      return std::move(allocated).error();
    LLCUDA_ASSIGN_OR_RETURN(const MemoryInfo info, context->memoryInfo());
    return outOfMemory(bytes, " bytes of device memory are needed for ", purpose, ", ", info.freeBytes, " of ",
                       info.totalBytes, " are free");
  }
  result.memory = {std::move(context), address};
  result.size = bytes;
  return result;
}

Result<PinnedMemory> PinnedMemory::allocate(std::shared_ptr<const Context> context, uint64_t bytes,
                                            std::string_view purpose) {
  PinnedMemory result;
  if (bytes == 0)
    return result;
  void* address = nullptr;
  LLCUDA_RETURN_IF_ERROR(context->call(context->functions().cuMemHostAlloc, purpose, &address,
                                       static_cast<size_t>(bytes), CU_MEMHOSTALLOC_PORTABLE));
  result.memory = {std::move(context), address};
  result.size = bytes;
  return result;
}

} // namespace llcuda::cuda
