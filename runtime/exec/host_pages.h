// SPDX-License-Identifier: Apache-2.0
// Host memory for what the device's pools have no room for: pages of the cache and states, in blocks of pinned slabs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/cuda/memory.h"

namespace llcuda {

/// Blocks of several kinds, each kind of one size, up to a number of bytes together. Slabs are allocated as they are
/// needed and stay; one without blocks may serve another kind. A block that was given back can be taken at once when
/// all copies are of one stream, which writes it after it was read.
class HostPages {
public:
  struct Block {
    uint32_t slab = 0;
    uint32_t index = 0; ///< of the blocks of its slab
  };

  /// `blockBytes`: of each kind; a kind of 0 bytes is never taken. The slabs are allocated in `context`.
  HostPages(std::shared_ptr<const cuda::Context> context, std::vector<uint64_t> blockBytes, uint64_t budget);

  /// Nothing when there is no room: the budget is used, or the host gives no more.
  Result<std::optional<Block>> take(std::size_t kind);
  void give(Block block);
  std::span<std::byte> bytes(Block block);

  std::size_t kinds() const { return blockBytes.size(); }
  uint64_t bytesOf(std::size_t kind) const { return blockBytes[kind]; }
  uint64_t usedBytes() const { return used; }                  ///< of blocks that were taken
  uint64_t roomBytes() const { return mostSlabs * slabBytes; } ///< of the slabs that there can be

private:
  static constexpr uint64_t kSlabBytes = uint64_t{64} << 20; ///< pinning so much takes about 10 ms

  struct Slab {
    cuda::PinnedMemory memory;
    std::size_t kind = 0;
    std::vector<uint32_t> free; ///< blocks, taken from the back
    uint32_t taken = 0;
  };
  void serve(Slab& slab, std::size_t kind) const;

  std::shared_ptr<const cuda::Context> context;
  std::vector<uint64_t> blockBytes;
  uint64_t slabBytes = 0;
  std::size_t mostSlabs = 0;
  std::vector<Slab> slabs;
  uint64_t used = 0;
};

} // namespace llcuda
