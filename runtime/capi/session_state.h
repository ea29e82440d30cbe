// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "llcuda/llcuda.h"
#include "runtime/capi/boundary.h"
#include "runtime/capi/engine_state.h"
#include "runtime/exec/profiler.h"
#include "runtime/exec/sequence.h"
#include "runtime/exec/session.h"

/// One slot's session and the sequence in it.
struct llcuda_session {
  std::shared_ptr<llcuda::capi::EngineState> engine;
  std::unique_ptr<llcuda::Profiler> profiler; ///< null without a profile; outlives the session
  std::vector<llcuda_kernel_profile> kernels; ///< handed out by the last llcuda_session_get_profile
  std::unique_ptr<llcuda::Session> session;
  std::unique_ptr<llcuda::Sequence> sequence;
  uint32_t decodeNodes = 0;
  std::chrono::nanoseconds creating{}; ///< how long what is the session's own took
  llcuda::Metrics metrics;
  std::optional<llcuda::Error> broken; ///< of the call after which the device's state is unknown

  /// Runs `body`, unless the session is broken, and remembers when it breaks.
  template <typename Body>
  llcuda_status run(llcuda_error* error, Body body) {
    return llcuda::capi::guarded(error, [&]() -> llcuda::Result<void> {
      if (broken)
        return *broken;
      broken = llcuda::internalError("an earlier call on this session was left half done");
      llcuda::Result<void> result = body();
      if (result || survives(result.error().code))
        broken.reset();
      else
        broken = result.error();
      return result;
    });
  }

private:
  /// Faults of the driver alone leave the device in an unknown state.
  static bool survives(llcuda::ErrorCode code) { return code != llcuda::ErrorCode::kInternal; }
};
