// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <thread>

namespace llcuda::serve {

/// SIGTERM and SIGINT as events: the first calls `stop` on a thread of its own, the second ends the program at once. To
/// be made before any other thread, since threads inherit what is blocked. Ignores SIGPIPE.
class StopSignals {
public:
  StopSignals();
  /// The handler of the first one; what came before is not lost.
  void watch(std::function<void()> stop);
};

} // namespace llcuda::serve
