// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

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
  static constexpr std::size_t kEntries = 16;

  /// `capacity`: the most bytes of one call. `entries`: calls whose copies may be on their way; one more waits for the
  /// first of them.
  static Result<Staging> create(const std::shared_ptr<const cuda::Context>& context, std::size_t capacity,
                                std::size_t entries = kEntries);

  Result<void> upload(const cuda::Stream& stream, std::span<const Upload> uploads);

private:
  std::size_t capacity = 0;
  std::size_t next = 0;
  cuda::PinnedMemory memory;
  std::vector<cuda::Event> copied;
};

} // namespace llcuda
