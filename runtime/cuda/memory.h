// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "runtime/cuda/context.h"

namespace llcuda::cuda {

/// Device memory. No bytes are possible: the address is then 0.
class DeviceMemory {
public:
  /// `purpose` completes "... for": "the KV cache". kOutOfMemory says what was asked for and what is free.
  static Result<DeviceMemory> allocate(std::shared_ptr<const Context> context, uint64_t bytes,
                                       std::string_view purpose);
  DeviceMemory() = default;

  CUdeviceptr address() const { return memory.get(); }
  uint64_t bytes() const { return size; }

private:
  Owned<CUdeviceptr, &DriverTable::cuMemFree_v2> memory;
  uint64_t size = 0;
};

/// Host memory that the device copies to and from without a detour.
class PinnedMemory {
public:
  static Result<PinnedMemory> allocate(std::shared_ptr<const Context> context, uint64_t bytes,
                                       std::string_view purpose);
  PinnedMemory() = default;

  std::span<std::byte> bytes() const { return {static_cast<std::byte*>(memory.get()), size}; }

private:
  Owned<void*, &DriverTable::cuMemFreeHost> memory;
  size_t size = 0;
};

} // namespace llcuda::cuda
