// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-run/interrupt.h"

#include <atomic>

namespace llcuda::run {
namespace {

// A signal handler has no other way to its object.
std::atomic<api::Session*> interrupted = nullptr;

void onInterrupt(int) {
  if (api::Session* session = interrupted.load())
    session->cancel();
}

} // namespace

InterruptCancels::InterruptCancels(api::Session& session) {
  interrupted = &session;
  struct sigaction action = {};
  action.sa_handler = onInterrupt;
  action.sa_flags = SA_RESETHAND;
  ::sigaction(SIGINT, &action, &previous);
}

InterruptCancels::~InterruptCancels() {
  ::sigaction(SIGINT, &previous, nullptr);
  interrupted = nullptr;
}

} // namespace llcuda::run
