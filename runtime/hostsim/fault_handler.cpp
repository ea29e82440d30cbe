// SPDX-License-Identifier: Apache-2.0
#include "runtime/hostsim/fault_handler.h"

#include <ucontext.h>

#include <iterator>
#include <mutex>

#include "runtime/hostsim/block_runner.h"

namespace llcuda::hostsim {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
constexpr size_t kHandlerStackBytes = size_t{64} << 10;

struct sigaction previousActions[std::size(kSignals)];
thread_local BlockRunner* running = nullptr;
thread_local int faultSignal = 0, faultCode = 0;
thread_local const void* faultAddress = nullptr;

void afterFault() {
  running->failBySignal(faultSignal, faultCode, faultAddress);
}

// Runs on the handler's stack and leaves it at once: when it returns, the thread goes on in afterFault, on a sound
// stack.
void handle(int signal, siginfo_t* info, void* machine) {
  if (!running) {
    for (size_t i = 0; i < std::size(kSignals); ++i)
      if (kSignals[i] == signal)
        sigaction(signal, &previousActions[i], nullptr);
    return; // the instruction faults again, for the handler that was there before
  }
  faultSignal = signal;
  faultCode = info->si_code;
  faultAddress = info->si_addr;
  auto& registers = static_cast<ucontext_t*>(machine)->uc_mcontext.gregs;
  registers[REG_RIP] = static_cast<greg_t>(reinterpret_cast<uintptr_t>(&afterFault));
  // As after a call: the return address, which is never used, lies at a multiple of 16 less 8.
  registers[REG_RSP] = static_cast<greg_t>(reinterpret_cast<uintptr_t>(running->signalFrame()) / 16 * 16 - 8);
}

void installHandlers() {
  struct sigaction action = {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &action, &previousActions[i]);
}

} // namespace

FaultGuard::FaultGuard(BlockRunner& runner) {
  static std::once_flag once;
  std::call_once(once, installHandlers);
  thread_local const auto handlerStack = std::make_unique<char[]>(kHandlerStackBytes);
  stack_t stack = {};
  stack.ss_sp = handlerStack.get();
  stack.ss_size = kHandlerStackBytes;
  sigaltstack(&stack, &previousStack);
  running = &runner;
}

FaultGuard::~FaultGuard() {
  running = nullptr;
  sigaltstack(&previousStack, nullptr);
}

} // namespace llcuda::hostsim
