// SPDX-License-Identifier: Apache-2.0
// How a block fails: what is said, and the way out of the threads' stacks.
#include <csignal>
#include <sstream>

#include "runtime/hostsim/block_runner.h"

namespace llcuda::hostsim {

std::string BlockRunner::where() const {
  const LlcudaHostDim3& block = context.block;
  return detail::concat(request->name, ", block (", block.x, ", ", block.y, ", ", block.z, ")");
}

// The stacks of the block's threads are left as they are, nothing on them is destroyed: whoever calls leave() has no
// object that owns memory.
void BlockRunner::leave() {
  current->switchTo(outside);
}

void BlockRunner::fail(const char* message) {
  failure = detail::concat(where(), ", thread ", context.thread, ": ", message);
  leave();
}

void BlockRunner::failMeeting(const char* operation) {
  const LlcudaHostWarp& warp = warps[context.thread / LLCUDA_HOST_WARP_LANES];
  failure = detail::concat(where(), ": thread ", context.thread, " calls ", operation,
                           " where other lanes of its warp wait in ", warp.operation);
  leave();
}

void BlockRunner::failDivergence() {
  failure = where() + ": threads missed a meeting: " + describeThreads();
  leave();
}

void BlockRunner::failBySignal(int signal, int code, const void* address) {
  failure = detail::concat(where(), ", thread ", context.thread, ": ", describeSignal(signal, code, address));
  leave();
}

std::string BlockRunner::describeThreads() const {
  const auto describe = [&](uint32_t thread) -> std::string {
    switch (states[thread]) {
    case State::kInBarrier:
      return "wait in syncThreads";
    case State::kInWarp:
      return std::string("wait in ") + warps[thread / LLCUDA_HOST_WARP_LANES].operation;
    case State::kEnded:
      return "have ended";
    case State::kNotStarted:
    case State::kRunning:
      break;
    }
    return "run";
  };
  std::ostringstream text;
  for (uint32_t first = 0; first < request->threads;) {
    const std::string what = describe(first);
    uint32_t last = first;
    while (last + 1 < request->threads && describe(last + 1) == what) ++last;
    text << (first == 0 ? "" : ", ") << first;
    if (last != first)
      text << "-" << last;
    text << " " << what;
    first = last + 1;
  }
  return std::move(text).str();
}

std::string BlockRunner::describeSignal(int signal, int code, const void* address) const {
  if (signal == SIGFPE)
    return "division by zero";
  if (signal == SIGILL)
    return "an instruction that this processor lacks; host images need AVX2, FMA and F16C";
  if (signal == SIGSEGV && code == SI_KERNEL) // the processor tells no address
    return "access to an address that is not aligned to the size of its type, or that no process has";
  if (current->isBelowStack(address))
    return detail::concat("its local variables need more than ", Fiber::kStackBytes, " bytes");
  const std::string text = detail::concat("no access to address ", address);
  return request->describeAddress ? text + ", " + request->describeAddress(request->owner, address) : text;
}

} // namespace llcuda::hostsim
