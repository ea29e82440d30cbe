// SPDX-License-Identifier: Apache-2.0
#include "runtime/hostsim/block_runner.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace llcuda::hostsim {

inline void BlockRunner::wait(State state) {
  const uint32_t thread = context.thread;
  Fiber* self = current;
  states[thread] = state;
  fiberOf[thread] = self;
  if (readyBegin == readyEnd && started == request->threads)
    failDivergence();
  Fiber& next = readyBegin != readyEnd ? takeReady() : takeIdle();
  current = &next;
  self->switchTo(next);
  current = self;
  context.thread = thread;
  states[thread] = State::kRunning;
}

inline int BlockRunner::syncThreads(int predicate) {
  barrierAny |= predicate;
  if (++inBarrier < request->threads) {
    wait(State::kInBarrier);
    return barrierResult;
  }
  barrierResult = barrierAny;
  barrierAny = 0;
  inBarrier = 0;
  makeReady(0, request->threads);
  return barrierResult;
}

const LlcudaHostTable BlockRunner::kTable = {
    .syncThreads = [](LlcudaHostContext* c, int predicate) { return of(c).syncThreads(predicate); },
    .waitInWarp = [](LlcudaHostContext* c) { of(c).wait(State::kInWarp); },
    .releaseWarp = [](LlcudaHostContext* c) { of(c).releaseWarp(); },
    .sharedArray = [](LlcudaHostContext* c, const void* key, size_t bytes) { return of(c).sharedArray(key, bytes); },
    .fail = [](LlcudaHostContext* c, const char* message) { of(c).fail(message); },
    .failMeeting = [](LlcudaHostContext* c, const char* operation) { of(c).failMeeting(operation); },
};

BlockRunner::BlockRunner() : ready(kMaxThreads), faultStack(new char[kFaultStackBytes]) {}

Result<void> BlockRunner::startLaunch(const LaunchRequest& launch) {
  request = &launch;
  failure.clear();
  while (fibers.size() < launch.threads) {
    LLCUDA_ASSIGN_OR_RETURN(auto fiber, Fiber::create(fibers.size(), &BlockRunner::runThreads, this));
    idle.push_back(fiber.get());
    fibers.push_back(std::move(fiber));
  }
  context.threads = launch.threads;
  context.grid = {launch.grid.x, launch.grid.y, launch.grid.z};
  warps.assign((launch.threads + LLCUDA_HOST_WARP_LANES - 1) / LLCUDA_HOST_WARP_LANES, {});
  context.warps = warps.data();
  context.table = &kTable;
  shared.startLaunch(launch.dynamicSharedBytes);
  context.dynamicShared = shared.dynamicArray();
  fiberOf.resize(launch.threads);
  return {};
}

void BlockRunner::startBlock(uint64_t index) {
  const Dim3& grid = request->grid;
  context.block.x = static_cast<uint32_t>(index % grid.x);
  context.block.y = static_cast<uint32_t>(index / grid.x % grid.y);
  context.block.z = static_cast<uint32_t>(index / grid.x / grid.y);
  states.assign(request->threads, State::kNotStarted);
  readyBegin = readyEnd = 0;
  started = ended = 0;
  reversed = index % 2 == 1;
  inBarrier = 0;
  barrierAny = 0;
  shared.startBlock();
}

Result<void> BlockRunner::run(uint64_t blockIndex) {
  startBlock(blockIndex);
  Fiber& first = takeIdle();
  current = &first;
  outside.switchTo(first);
  if (failure.empty()) {
    const std::string overrun = shared.findOverrun();
    if (overrun.empty())
      return {};
    failure = where() + ": a thread " + overrun;
  }
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(faultStack.get(), kFaultStackBytes); // frames were left on it
#endif
  idle.clear();
  for (auto& fiber : fibers) {
    fiber->reset();
    idle.push_back(fiber.get());
  }
  return internalError(failure);
}

// What every fiber does, for ever: start threads while there are any, then hand over to one that may go on.
void BlockRunner::runThreads(void* argument) {
  auto& runner = *static_cast<BlockRunner*>(argument);
  for (;;) {
    while (runner.started < runner.request->threads) {
      const uint32_t begun = runner.started++;
      const uint32_t thread = runner.reversed ? runner.request->threads - 1 - begun : begun;
      runner.context.thread = thread;
      runner.states[thread] = State::kRunning;
      runner.request->body(&runner.context, runner.request->arguments);
      // The thread may have waited and others have run meanwhile, but it is the running one again.
      runner.states[runner.context.thread] = State::kEnded;
      ++runner.ended;
    }
    Fiber* self = runner.current;
    const bool finished = runner.ended == runner.request->threads;
    if (!finished && runner.readyBegin == runner.readyEnd)
      runner.failDivergence();
    runner.idle.push_back(self);
    if (finished) {
      self->switchTo(runner.outside);
    } else {
      Fiber& next = runner.takeReady();
      runner.current = &next;
      self->switchTo(next);
    }
  }
}

// All but the running one.
void BlockRunner::makeReady(uint32_t first, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t thread = reversed ? first + count - 1 - i : first + i;
    if (thread != context.thread)
      ready[readyEnd++ % kMaxThreads] = static_cast<uint16_t>(thread);
  }
}

void BlockRunner::releaseWarp() {
  makeReady(context.thread / LLCUDA_HOST_WARP_LANES * LLCUDA_HOST_WARP_LANES, LLCUDA_HOST_WARP_LANES);
}

void* BlockRunner::sharedArray(const void* key, size_t bytes) {
  void* array = shared.staticArray(key, bytes);
  if (!array) {
    failure = detail::concat(where(), ": no room for a shared array of ", bytes, " bytes, a block has ",
                             SharedMemory::kMaxStaticBytes, " static, ", SharedMemory::kMaxBytes, " in all");
    leave();
  }
  return array;
}

} // namespace llcuda::hostsim
