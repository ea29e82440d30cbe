// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <shared_mutex>
#include <string>

namespace llcuda::hostsim {

/// The memory that kernels may use. Each allocation has pages of its own and ends at an inaccessible one, so that a
/// kernel that runs past it faults; another inaccessible page lies before. Any thread may call.
class DeviceMemory {
public:
  enum class Kind { kDevice, kPinned }; ///< pinned host memory does not count against the size

  static constexpr size_t kAlignment = 16;                 ///< what kernels may rely on; less slack before the page
  static constexpr size_t kPoisonBytes = size_t{64} << 20; ///< allocations up to this are filled with 0xFF

  ~DeviceMemory();

  void setSize(uint64_t bytes);
  uint64_t size() const;
  uint64_t freeBytes() const;
  size_t liveAllocations() const;

  /// Null when the size or the machine's memory does not suffice. `bytes` is not 0.
  void* allocate(size_t bytes, Kind kind);

  enum class Freed { kYes, kUnknown, kOverrun };
  /// kUnknown: not the start of an allocation of this kind. kOverrun: freed, but bytes after its end were written, too
  /// few to reach the inaccessible page.
  Freed free(void* address, Kind kind);
  void freeAll();

  /// Whether all bytes lie in one allocation of the kind.
  bool contains(const void* address, size_t bytes, Kind kind) const;
  /// Whether the address is in or at the end of an allocation.
  bool isKnown(const void* address) const;
  /// "12 bytes past the end of an allocation of 4096 bytes"
  std::string describe(const void* address) const;

private:
  struct Allocation {
    size_t bytes;
    Kind kind;
    void* mapping;
    size_t mappingBytes;
    size_t slackBytes; // between the end and the inaccessible page
  };
  const std::pair<const uintptr_t, Allocation>* find(const void* address) const;

  mutable std::shared_mutex mutex;
  std::map<uintptr_t, Allocation> allocations; // by address
  uint64_t totalBytes = uint64_t{16} << 30;
  uint64_t usedBytes = 0;
};

} // namespace llcuda::hostsim
