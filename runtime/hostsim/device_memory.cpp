// SPDX-License-Identifier: Apache-2.0
#include "runtime/hostsim/device_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <mutex>

namespace llcuda::hostsim {
namespace {

constexpr size_t kPageBytes = 4096;
constexpr unsigned char kSlackByte = 0xA5;

size_t roundUp(size_t value, size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}
uintptr_t numberOf(const void* address) {
  return reinterpret_cast<uintptr_t>(address);
}

} // namespace

DeviceMemory::~DeviceMemory() {
  freeAll();
}

void DeviceMemory::setSize(uint64_t bytes) {
  const std::unique_lock lock(mutex);
  totalBytes = bytes;
}

uint64_t DeviceMemory::size() const {
  const std::shared_lock lock(mutex);
  return totalBytes;
}

uint64_t DeviceMemory::freeBytes() const {
  const std::shared_lock lock(mutex);
  return totalBytes - std::min(totalBytes, usedBytes);
}

size_t DeviceMemory::liveAllocations() const {
  const std::shared_lock lock(mutex);
  return allocations.size();
}

void* DeviceMemory::allocate(size_t bytes, Kind kind) {
  const std::unique_lock lock(mutex);
  if (bytes > SIZE_MAX / 2 || (kind == Kind::kDevice && bytes > totalBytes - std::min(totalBytes, usedBytes)))
    return nullptr;
  const size_t bodyBytes = roundUp(bytes, kPageBytes);
  const size_t mappingBytes = bodyBytes + 2 * kPageBytes;
  void* mapping = mmap(nullptr, mappingBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED)
    return nullptr;
  char* body = static_cast<char*>(mapping) + kPageBytes;
  if (mprotect(body, bodyBytes, PROT_READ | PROT_WRITE) != 0) {
    munmap(mapping, mappingBytes);
    return nullptr;
  }
  const size_t slackBytes = roundUp(bytes, kAlignment) - bytes;
  char* start = body + bodyBytes - slackBytes - bytes;
  std::memset(start + bytes, kSlackByte, slackBytes);
  if (bytes <= kPoisonBytes)
    std::memset(start, 0xFF, bytes);
  allocations.emplace(numberOf(start), Allocation{bytes, kind, mapping, mappingBytes, slackBytes});
  if (kind == Kind::kDevice)
    usedBytes += bytes;
  return start;
}

DeviceMemory::Freed DeviceMemory::free(void* address, Kind kind) {
  const std::unique_lock lock(mutex);
  const auto found = allocations.find(numberOf(address));
  if (found == allocations.end() || found->second.kind != kind)
    return Freed::kUnknown;
  const Allocation& allocation = found->second;
  const char* slack = static_cast<const char*>(address) + allocation.bytes;
  const bool intact = std::all_of(slack, slack + allocation.slackBytes,
                                  [](char byte) { return static_cast<unsigned char>(byte) == kSlackByte; });
  if (kind == Kind::kDevice)
    usedBytes -= allocation.bytes;
  munmap(allocation.mapping, allocation.mappingBytes);
  allocations.erase(found);
  return intact ? Freed::kYes : Freed::kOverrun;
}

void DeviceMemory::freeAll() {
  const std::unique_lock lock(mutex);
  for (const auto& [start, allocation] : allocations) munmap(allocation.mapping, allocation.mappingBytes);
  allocations.clear();
  usedBytes = 0;
}

const std::pair<const uintptr_t, DeviceMemory::Allocation>* DeviceMemory::find(const void* address) const {
  auto next = allocations.upper_bound(numberOf(address));
  if (next == allocations.begin())
    return nullptr;
  --next;
  return numberOf(address) - next->first <= next->second.bytes ? &*next : nullptr;
}

bool DeviceMemory::contains(const void* address, size_t bytes, Kind kind) const {
  const std::shared_lock lock(mutex);
  const auto* found = find(address);
  return found && found->second.kind == kind && bytes <= found->second.bytes - (numberOf(address) - found->first);
}

bool DeviceMemory::isKnown(const void* address) const {
  const std::shared_lock lock(mutex);
  return find(address) != nullptr;
}

std::string DeviceMemory::describe(const void* address) const {
  const std::shared_lock lock(mutex);
  const uintptr_t at = numberOf(address);
  const auto ofBytes = [](const Allocation& a) { return " an allocation of " + std::to_string(a.bytes) + " bytes"; };
  auto after = allocations.upper_bound(at);
  const auto* before = after == allocations.begin() ? nullptr : &*std::prev(after);
  const bool hasAfter = after != allocations.end();
  if (before && at - before->first < before->second.bytes)
    return std::to_string(at - before->first) + " bytes into" + ofBytes(before->second);
  const uintptr_t past = before ? at - before->first - before->second.bytes : UINTPTR_MAX;
  if (hasAfter && after->first - at <= past)
    return std::to_string(after->first - at) + " bytes before" + ofBytes(after->second);
  if (before)
    return std::to_string(past) + " bytes past the end of" + ofBytes(before->second);
  return "nothing is allocated";
}

} // namespace llcuda::hostsim
