// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "runtime/base/result.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/stream.h"

namespace llcuda {

/// Copies small host values to the device in stream order, from pinned memory that is not reused before its copy is
/// done. The caller's bytes may go at once.
class Staging {
public:
  /// `capacity`: the most bytes of one copy.
  static Result<Staging> create(const std::shared_ptr<const cuda::Context>& context, std::size_t capacity);

  Result<void> upload(const cuda::Stream& stream, cuda::CUdeviceptr to, std::span<const std::byte> bytes);

private:
  static constexpr std::size_t kEntries = 16;

  std::size_t capacity = 0;
  std::size_t next = 0;
  cuda::PinnedMemory memory;
  std::array<cuda::Event, kEntries> copied;
};

} // namespace llcuda
