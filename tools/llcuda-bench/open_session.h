// SPDX-License-Identifier: Apache-2.0
// A session for several sequences at a time.
#pragma once

#include <cstdint>
#include <memory>

#include "llcuda/llcuda.hpp"
#include "runtime/base/result.h"
#include "runtime/exec/session.h"

namespace llcuda::bench {

struct OpenedSession {
  std::unique_ptr<PhaseClock> clock; ///< of the session; null if it is not timed
  std::unique_ptr<Session> session;
};

/// Loads the engine and captures its graphs; what they take is told by the options' log. The page pools take
/// `cacheBytes` at most, 0: what is free less kReservedBytes, and no more than the slots can use.
Result<OpenedSession> openSession(const std::shared_ptr<const Engine>& engine, const api::SessionOptions& options,
                                  uint32_t context, uint32_t slots, uint64_t cacheBytes, bool timed);

} // namespace llcuda::bench
