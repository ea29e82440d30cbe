// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/hostsim_abi.h"
#include "runtime/base/result.h"
#include "runtime/hostsim/fiber.h"
#include "runtime/hostsim/launch_request.h"
#include "runtime/hostsim/shared_memory.h"

namespace llcuda::hostsim {

/// Runs blocks, one after the other, on the operating system thread that calls it.
///
/// The threads of a block run in turn on fibers. One that never meets others runs to its end, and the next one starts
/// on the same stack without a switch. One that waits keeps its stack, and the next one goes on: a thread whose meeting
/// has taken place, else one that has not started. When there is neither, some threads missed a meeting, and the launch
/// fails.
///
/// Threads go in the order of their numbers in blocks of even index, in the opposite order in the others: two threads
/// that touch the same memory without a barrier between them get it wrong in one of the two.
class BlockRunner {
public:
  BlockRunner();

  Result<void> startLaunch(const LaunchRequest& request);
  /// Runs the block of this index (x fastest). After an error startLaunch must come first.
  Result<void> run(uint64_t blockIndex);

  /// Called on a stack of its own after a signal of this number and code hit the running thread at `address`. Does not
  /// return.
  void failBySignal(int signal, int code, const void* address);

  /// Where failBySignal may run.
  void* signalFrame() { return faultStack.get() + kFaultStackBytes; }

private:
  enum class State : uint8_t { kNotStarted, kRunning, kInBarrier, kInWarp, kEnded };
  static constexpr size_t kFaultStackBytes = size_t{256} << 10;

  static const LlcudaHostTable kTable;
  static BlockRunner& of(LlcudaHostContext* context) { return *reinterpret_cast<BlockRunner*>(context); }

  static void runThreads(void* runner);
  void startBlock(uint64_t blockIndex);
  int syncThreads(int predicate);
  void waitInWarp();
  void releaseWarp();
  void* sharedArray(const void* key, size_t bytes);

  __attribute__((always_inline)) void wait(State state);
  void makeReady(uint32_t first, uint32_t count);
  Fiber& takeReady() { return *fiberOf[ready[readyBegin++ % kMaxThreads]]; }
  Fiber& takeIdle() {
    Fiber* fiber = idle.back();
    idle.pop_back();
    return *fiber;
  }
  // Ends the block with `failure`. None of these returns; they are not declared so, because the sanitizer would then
  // look for the end of a stack that it does not know.
  void leave();
  void fail(const char* message);
  void failMeeting(const char* operation);
  void failDivergence();
  std::string where() const;
  std::string describeThreads() const;
  std::string describeSignal(int signal, int code, const void* address) const;

  LlcudaHostContext context{}; // first: kernel code hands its address back
  const LaunchRequest* request = nullptr;

  Fiber outside; // the operating system thread
  Fiber* current = nullptr;
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<Fiber*> idle; // have no thread; the one used last comes first

  std::vector<LlcudaHostWarp> warps;
  std::vector<State> states;   // [thread]
  std::vector<Fiber*> fiberOf; // [thread], of the waiting ones
  std::vector<uint16_t> ready; // a ring
  uint32_t readyBegin = 0, readyEnd = 0;
  uint32_t started = 0, ended = 0; // threads
  bool reversed = false;           // the order of this block
  uint32_t inBarrier = 0;
  int barrierAny = 0, barrierResult = 0;

  SharedMemory shared;
  std::unique_ptr<char[]> faultStack;
  std::string failure;
};

} // namespace llcuda::hostsim
