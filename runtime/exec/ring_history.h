// SPDX-License-Identifier: Apache-2.0
// What the rings of layers that see a window still hold: a slot that goes back too far finds its window overwritten.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/engine/engine.h"

namespace llcuda {

class RingHistory {
public:
  RingHistory(const Engine& engine, uint32_t slots);

  /// Positions up to `end` of the slot are written, or will be by what is queued, from `first` on in order.
  void write(uint32_t slot, uint32_t first, uint32_t end);
  /// How many of the first `positions` of the slot the row at `positions` can build on: all of them, or 0 when a ring
  /// has overwritten what it would see.
  uint32_t usable(uint32_t slot, uint32_t positions) const;

private:
  struct Ring {
    uint32_t positions; ///< that it holds
    uint32_t window;    ///< that a row sees
  };
  std::vector<Ring> rings;       // distinct ones of the engine
  std::vector<uint32_t> written; // end of what each slot has had since it began at 0
};

} // namespace llcuda
