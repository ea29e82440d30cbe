// SPDX-License-Identifier: Apache-2.0
// A phase launch by launch, for those who look at each of them.
#pragma once

#include <cstdint>

#include "runtime/base/result.h"
#include "runtime/cuda/stream.h"
#include "runtime/exec/program.h"
#include "runtime/exec/session_memory.h"
#include "runtime/schema/phase_facts.h"

namespace llcuda {

/// One step of a phase.
struct PhaseRun {
  const Program& program;
  const SessionMemory& memory;
  const cuda::Stream& stream;
  const fb::Phase& phase;
  uint32_t rows = 0;      ///< that hold a token
  uint32_t sequences = 0; ///< that these rows are of
  uint64_t positions = 0; ///< cached ones that these rows attend to, those of two sequences counted apart
  LaunchRange launches;   ///< of the phase that are run
};

/// Sees the launches of a session. It may put work of its own on the stream.
class LaunchObserver {
public:
  virtual ~LaunchObserver() = default;
  virtual Result<void> begin(const PhaseRun&) { return {}; }
  virtual Result<void> before(const PhaseRun&, uint32_t /*launch*/) { return {}; }
  virtual Result<void> after(const PhaseRun&, uint32_t /*launch*/) { return {}; }
  virtual Result<void> end(const PhaseRun&) { return {}; }
};

/// Puts one launch on a stream.
Result<void> launchOn(const cuda::Stream& stream, const Program& program, const SessionMemory& memory,
                      const fb::Launch& launch);

/// Puts the launches of the run on its stream; `observer` may be null.
Result<void> launchAll(const PhaseRun& run, LaunchObserver* observer);

} // namespace llcuda
