// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "runtime/base/result.h"
#include "runtime/exec/sequence.h"

namespace llcuda {

/// See llcuda_self_check.
struct SelfCheckReport {
  uint32_t positions = 0;
  uint32_t different = 0;
  uint32_t decisiveDifferent = 0;
  float meanError = 0;
  float maxError = 0;
};

/// Runs the engine's golden tokens, one by one and then as one prompt, and compares the most likely successor and its
/// log-probability with the recorded ones. Forgets the sequence. kSelfCheckFailed: another best token where the
/// recorded lead is 1 or more, or a mean error above 0.1. kUnsupported: nothing is recorded.
Result<void> selfCheck(const Engine& engine, Sequence& sequence, SelfCheckReport& report);

} // namespace llcuda
