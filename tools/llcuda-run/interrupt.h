// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>

#include "llcuda/llcuda.hpp"

namespace llcuda::run {

/// While it lives, the first Ctrl-C cancels what the session does; the second ends the program as ever. One at a time.
class InterruptCancels {
public:
  explicit InterruptCancels(api::Session& session);
  ~InterruptCancels();
  InterruptCancels(const InterruptCancels&) = delete;
  InterruptCancels& operator=(const InterruptCancels&) = delete;

private:
  struct sigaction previous = {};
};

} // namespace llcuda::run
