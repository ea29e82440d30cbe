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

/// Loads the engine and captures its graphs. What that took is told by the options' log.
Result<OpenedSession> openSession(const std::shared_ptr<const Engine>& engine, const api::SessionOptions& options,
                                  uint32_t context, uint32_t slots, bool timed);

} // namespace llcuda::bench
