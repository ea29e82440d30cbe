// SPDX-License-Identifier: Apache-2.0
#include "runtime/hostsim/shared_memory.h"

#include <cstring>

namespace llcuda::hostsim {
namespace {

constexpr size_t kAlignment = 128; // of the first array; the others follow at multiples of 16
constexpr size_t kGuardBytes = 32;
constexpr size_t kMaxArrays = 256;
constexpr unsigned char kGuardByte = 0xA5, kPoisonByte = 0xFF;
constexpr size_t kStorageBytes = SharedMemory::kMaxBytes + kMaxArrays * (kGuardBytes + 16) + kGuardBytes;

} // namespace

SharedMemory::SharedMemory() : storage(new char[kStorageBytes + kAlignment]) {
  base = storage.get() + (kAlignment - reinterpret_cast<uintptr_t>(storage.get()) % kAlignment);
}

void SharedMemory::startLaunch(size_t dynamicBytes) {
  arrays.clear();
  usedBytes = staticBytes = 0;
  end = kGuardBytes;
  std::memset(base, kGuardByte, end);
  place(nullptr, dynamicBytes);
}

void SharedMemory::startBlock() {
  for (const Array& array : arrays) std::memset(base + array.offset, kPoisonByte, array.bytes);
}

void* SharedMemory::dynamicArray() const {
  return base + arrays.front().offset;
}

SharedMemory::Array* SharedMemory::place(const void* key, size_t bytes) {
  if (bytes > kMaxBytes - usedBytes || arrays.size() == kMaxArrays)
    return nullptr;
  usedBytes += bytes;
  arrays.push_back({key, end, bytes});
  end = (end + bytes + 15) / 16 * 16 + kGuardBytes;
  const size_t guard = arrays.back().offset + bytes;
  std::memset(base + arrays.back().offset, kPoisonByte, bytes);
  std::memset(base + guard, kGuardByte, end - guard);
  return &arrays.back();
}

void* SharedMemory::staticArray(const void* key, size_t bytes) {
  for (const Array& array : arrays)
    if (array.key == key)
      return base + array.offset;
  if (bytes > kMaxStaticBytes - staticBytes)
    return nullptr;
  const Array* array = place(key, bytes);
  if (!array)
    return nullptr;
  staticBytes += bytes;
  return base + array->offset;
}

std::string SharedMemory::findOverrun() const {
  size_t guard = 0;
  for (size_t i = 0; i <= arrays.size(); ++i) {
    const size_t guardEnd = i == arrays.size() ? end : arrays[i].offset;
    for (size_t byte = guard; byte < guardEnd; ++byte) {
      if (static_cast<unsigned char>(base[byte]) == kGuardByte)
        continue;
      if (i == 0)
        return "wrote before the first shared array";
      return "wrote " + std::to_string(byte - guard) + " bytes past the end of a shared array of " +
             std::to_string(arrays[i - 1].bytes) + " bytes";
    }
    if (i < arrays.size())
      guard = guardEnd + arrays[i].bytes;
  }
  return {};
}

} // namespace llcuda::hostsim
