// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-serve/stop_signals.h"

#include <csignal>
#include <utility>

#include <unistd.h>

namespace llcuda::serve {
namespace {

sigset_t stopping() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

} // namespace

StopSignals::StopSignals() {
  std::signal(SIGPIPE, SIG_IGN);
  const sigset_t set = stopping();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void StopSignals::watch(std::function<void()> stop) {
  // It waits for a second signal as long as the program lives.
  std::thread([stop = std::move(stop)] {
    const sigset_t set = stopping();
    int signal = 0;
    if (sigwait(&set, &signal) != 0)
      return;
    std::thread(stop).detach();
    if (sigwait(&set, &signal) == 0)
      ::_exit(128 + signal);
  }).detach();
}

} // namespace llcuda::serve
