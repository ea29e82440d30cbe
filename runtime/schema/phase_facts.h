// SPDX-License-Identifier: Apache-2.0
// What follows from the facts that a phase states.
#pragma once

#include <cstdint>

#include "runtime/schema/engine_generated.h"

namespace llcuda {

/// Runs of rows that may belong to different slots.
inline uint32_t rowBlocks(const fb::Phase& phase) {
  return (phase.rows() + phase.row_block() - 1) / phase.row_block();
}

/// Its sample tail; every phase has one.
inline const fb::Tail& sampleTail(const fb::Phase& phase) {
  return *phase.tails()->Get(0);
}
/// Rows whose next token a step says.
inline uint32_t outputsOf(const fb::Phase& phase) {
  return sampleTail(phase).outputs();
}

/// Whether it takes many tokens of a sequence at a time: their last one may be an output, and nothing feeds back.
inline bool isPrompt(const fb::Phase& phase) {
  return !phase.feeds_back();
}

/// For people: what the rows are.
inline const char* phaseName(bool feedsBack) {
  return feedsBack ? "decode" : "prompt";
}
inline const char* phaseName(const fb::Phase& phase) {
  return phaseName(phase.feeds_back());
}

} // namespace llcuda
