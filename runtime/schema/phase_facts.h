// SPDX-License-Identifier: Apache-2.0
// What follows from the facts that a phase states.
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/schema/engine_generated.h"

namespace llcuda {

/// Runs of rows that may belong to different slots.
inline uint32_t rowBlocks(const fb::Phase& phase) {
  return (phase.rows() + phase.row_block() - 1) / phase.row_block();
}

/// Its tail of a kind, or null. Every phase samples and reports; prompt phases also score and pool. Those of an encoder
/// pool alone.
inline const fb::Tail* tailOf(const fb::Phase& phase, fb::TailKind kind) {
  for (const fb::Tail* tail : *phase.tails())
    if (tail->kind() == kind)
      return tail;
  return nullptr;
}

/// Launches of a phase that are run one after another.
struct LaunchRange {
  uint32_t first = 0;
  uint32_t end = 0;

  uint32_t count() const { return end - first; }
};
inline LaunchRange trunkOf(const fb::Phase& phase) {
  return {0, phase.tails()->Get(0)->first()};
}
/// Those of a tail that it has.
inline LaunchRange launchesOf(const fb::Phase& phase, fb::TailKind kind) {
  const uint32_t first = tailOf(phase, kind)->first();
  LaunchRange range = {first, phase.launches()->size()};
  for (const fb::Tail* other : *phase.tails())
    if (other->first() > first)
      range.end = std::min(range.end, other->first());
  return range;
}
/// Of a step that samples, or of one that does not.
inline LaunchRange stepOf(const fb::Phase& phase, bool samples) {
  return samples && tailOf(phase, fb::TailKind::sample) ? LaunchRange{0, launchesOf(phase, fb::TailKind::sample).end}
                                                        : trunkOf(phase);
}

/// Rows that one run of a tail samples, scores or pools; 0 where there is no such tail.
inline uint32_t outputsOf(const fb::Phase& phase, fb::TailKind kind) {
  const fb::Tail* tail = tailOf(phase, kind);
  return tail ? tail->outputs() : 0;
}
/// Rows whose next token a step says.
inline uint32_t outputsOf(const fb::Phase& phase) {
  return outputsOf(phase, fb::TailKind::sample);
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
