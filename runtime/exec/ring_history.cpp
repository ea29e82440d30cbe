// SPDX-License-Identifier: Apache-2.0
#include "runtime/exec/ring_history.h"

#include <algorithm>

namespace llcuda {

RingHistory::RingHistory(const Engine& engine, uint32_t slots) : written(slots) {
  for (const fb::Buffer* buffer : *engine.metadata().buffers()) {
    if (buffer->ring_pages() == 0)
      continue;
    const Ring ring = {buffer->ring_pages() * engine.metadata().page_tokens(), buffer->window()};
    const auto same = [&](const Ring& r) { return r.positions == ring.positions && r.window == ring.window; };
    if (std::ranges::none_of(rings, same))
      rings.push_back(ring);
  }
}

void RingHistory::write(uint32_t slot, uint32_t first, uint32_t end) {
  written[slot] = first == 0 ? end : std::max(written[slot], end);
}

uint32_t RingHistory::usable(uint32_t slot, uint32_t positions) const {
  const auto holds = [&](const Ring& ring) {
    // The oldest position that is left, and the oldest that the next row sees.
    const uint32_t oldest = written[slot] - std::min(written[slot], ring.positions);
    const uint32_t seen = positions + 1 - std::min(positions + 1, ring.window);
    return oldest <= seen;
  };
  return std::ranges::all_of(rings, holds) ? positions : 0;
}

} // namespace llcuda
