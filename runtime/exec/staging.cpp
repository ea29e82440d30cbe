// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/staging.h"

#include <algorithm>

namespace llcuda {

Result<Staging> Staging::create(const std::shared_ptr<const cuda::Context>& context, std::size_t capacity) {
  Staging staging;
  staging.capacity = capacity;
  LLCUDA_ASSIGN_OR_RETURN(staging.memory, cuda::PinnedMemory::allocate(context, kEntries * capacity, "staging inputs"));
  for (cuda::Event& event : staging.copied) {
    LLCUDA_ASSIGN_OR_RETURN(event, cuda::Event::create(context));
  }
  return staging;
}

Result<void> Staging::upload(const cuda::Stream& stream, cuda::CUdeviceptr to, std::span<const std::byte> bytes) {
  assert(bytes.size() <= capacity);
  const std::size_t entry = next++ % kEntries;
  LLCUDA_RETURN_IF_ERROR(copied[entry].synchronize());
  const std::span<std::byte> place = memory.bytes().subspan(entry * capacity, bytes.size());
  std::ranges::copy(bytes, place.begin());
  LLCUDA_RETURN_IF_ERROR(stream.copyToDevice(to, place));
  return stream.record(copied[entry]);
}

} // namespace llcuda
