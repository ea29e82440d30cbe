// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "runtime/base/result.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/stream.h"

namespace llcuda {

/// Host values for one place on the device.
struct Upload {
  cuda::CUdeviceptr to = 0;
  std::span<const std::byte> bytes;
};

/// Copies small host values to the device in stream order, from pinned memory that is not reused before its copies are
/// done. The caller's bytes may go at once.
class Staging {
public:
  /// Calls whose copies may be on their way; one more waits for the first of them.
  static constexpr std::size_t kEntries = 16;

  /// `capacity`: the most bytes of one call.
  static Result<Staging> create(const std::shared_ptr<const cuda::Context>& context, std::size_t capacity);

  Result<void> upload(const cuda::Stream& stream, std::span<const Upload> uploads);

private:
  std::size_t capacity = 0;
  std::size_t next = 0;
  cuda::PinnedMemory memory;
  std::array<cuda::Event, kEntries> copied;
};

} // namespace llcuda
