// SPDX-License-Identifier: Apache-2.0
// When the arena buffers of a plan live.
#pragma once

#include "dialects/plan/Plan.h"
#include "llvm/ADT/MapVector.h"

namespace llcuda::plan {

/// From the first launch of a phase that has the buffer as an argument to the last, both included. What a tail reads of
/// the launches before it lives to the tail's end: the tail may be run again.
struct Lifetime {
  unsigned phase; ///< index among the engine's phases
  unsigned first; ///< index among the phase's launches
  unsigned last;
  LaunchOp opener; ///< the launch at `first`
  bool readsFirst; ///< the opener reads what nothing has written
};

/// The lifetimes of each arena buffer, at most one a phase, in the order of the engine's buffers; none for a buffer
/// that no launch uses.
using Lifetimes = llvm::MapVector<BufferOp, llvm::SmallVector<Lifetime, 2>>;
Lifetimes lifetimesOf(EngineOp engine);

/// Whether both live at one launch of some phase.
bool liveTogether(llvm::ArrayRef<Lifetime> a, llvm::ArrayRef<Lifetime> b);

/// Bytes of a buffer up to the next possible start of another.
int64_t alignedBytes(BufferOp buffer);

} // namespace llcuda::plan
