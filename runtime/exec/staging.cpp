// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/staging.h"

#include <algorithm>

namespace llcuda {

Result<Staging> Staging::create(const std::shared_ptr<const cuda::Context>& context, std::size_t capacity,
                                std::size_t entries) {
  Staging staging;
  staging.capacity = capacity;
  LLCUDA_ASSIGN_OR_RETURN(staging.memory, cuda::PinnedMemory::allocate(context, entries * capacity, "staging inputs"));
  staging.copied.resize(entries);
  for (cuda::Event& event : staging.copied) {
    LLCUDA_ASSIGN_OR_RETURN(event, cuda::Event::create(context));
  }
  return staging;
}

Result<void> Staging::upload(const cuda::Stream& stream, std::span<const Upload> uploads) {
  const std::size_t entry = next % copied.size();
  if (next++ >= copied.size())
    LLCUDA_RETURN_IF_ERROR(copied[entry].synchronize());
  std::span<std::byte> room = memory.bytes().subspan(entry * capacity, capacity);
  for (const Upload& upload : uploads) {
    assert(upload.bytes.size() <= room.size());
    std::ranges::copy(upload.bytes, room.begin());
    LLCUDA_RETURN_IF_ERROR(stream.copyToDevice(upload.to, room.first(upload.bytes.size())));
    room = room.subspan(upload.bytes.size());
  }
  return stream.record(copied[entry]);
}

} // namespace llcuda
