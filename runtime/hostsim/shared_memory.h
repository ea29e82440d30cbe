// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace llcuda::hostsim {

/// The shared memory of the block that a worker runs. Arrays get their place when a thread first asks for them, and
/// keep it until the launch ends. Between two arrays lie bytes that nobody may write.
class SharedMemory {
public:
  static constexpr size_t kMaxBytes = size_t{64} << 10;       ///< per block, static and dynamic together
  static constexpr size_t kMaxStaticBytes = size_t{48} << 10; ///< static alone

  SharedMemory();

  /// Forgets all arrays and places the dynamic one. `dynamicBytes` is at most kMaxBytes.
  void startLaunch(size_t dynamicBytes);
  /// Fills every array with 0xFF: not a number as f16 and f32, -1 as an integer.
  void startBlock();
  /// What a thread wrote outside the arrays; empty if none did.
  std::string findOverrun() const;

  void* dynamicArray() const;
  /// Null when the block has no room left.
  void* staticArray(const void* key, size_t bytes);

private:
  struct Array {
    const void* key;
    size_t offset, bytes;
  };
  Array* place(const void* key, size_t bytes);

  std::unique_ptr<char[]> storage;
  char* base = nullptr;
  std::vector<Array> arrays; // the dynamic one first
  size_t end = 0;            // of the last array and what guards it
  size_t usedBytes = 0, staticBytes = 0;
};

} // namespace llcuda::hostsim
