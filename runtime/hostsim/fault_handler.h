// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <memory>

namespace llcuda::hostsim {

class BlockRunner;

/// While it lives, a memory fault or a division by zero on the calling thread ends the block that `runner` runs, by
/// BlockRunner::failBySignal. Faults elsewhere go to the handler that was there before.
class FaultGuard {
public:
  explicit FaultGuard(BlockRunner& runner);
  ~FaultGuard();
  FaultGuard(const FaultGuard&) = delete;
  FaultGuard& operator=(const FaultGuard&) = delete;

private:
  stack_t previousStack{};
};

} // namespace llcuda::hostsim
