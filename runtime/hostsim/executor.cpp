// SPDX-License-Identifier: Apache-2.0
#include "runtime/hostsim/executor.h"

#include <algorithm>

#include "runtime/hostsim/block_runner.h"
#include "runtime/hostsim/fault_handler.h"

namespace llcuda::hostsim {
namespace {

constexpr unsigned kMaxOsThreads = 24; // each may hold 1024 stacks of two mappings; a process may have 65,530
constexpr uint64_t kChunksPerThread = 8;

Result<void> check(const LaunchRequest& request) {
  if (request.threads == 0 || request.threads > kMaxThreads)
    return usageError(request.name, ": blocks of ", request.threads, " threads, 1 to ", kMaxThreads, " are possible");
  if (request.grid.x == 0 || request.grid.y == 0 || request.grid.z == 0)
    return usageError(request.name, ": the grid (", request.grid.x, ", ", request.grid.y, ", ", request.grid.z,
                      ") has no blocks");
  if (request.grid.y > 65535 || request.grid.z > 65535 || request.grid.x > 2147483647u)
    return usageError(request.name, ": the grid (", request.grid.x, ", ", request.grid.y, ", ", request.grid.z,
                      ") is larger than (2147483647, 65535, 65535)");
  if (request.dynamicSharedBytes > SharedMemory::kMaxBytes)
    return usageError(request.name, ": ", request.dynamicSharedBytes, " bytes of dynamic shared memory, a block has ",
                      SharedMemory::kMaxBytes);
  return {};
}

} // namespace

Executor::Executor(unsigned threads)
    : threadCount(std::clamp(threads == 0 ? std::thread::hardware_concurrency() : threads, 1u, kMaxOsThreads)) {
  for (unsigned i = 0; i < threadCount; ++i) runners.push_back(std::make_unique<BlockRunner>());
}

Executor::~Executor() {
  stopping = true;
  ++launchCount;
  launchCount.notify_all();
  for (std::thread& helper : helpers) helper.join();
}

// Not in the constructor: a program that never launches many blocks has no extra threads.
void Executor::startHelpers() {
  for (unsigned i = 1; i < threadCount && helpers.size() + 1 < threadCount; ++i)
    helpers.emplace_back([this, i, seen = launchCount.load()]() mutable {
      for (;; ++seen) { // not load(): the next launch may have begun
        launchCount.wait(seen);
        if (stopping)
          return;
        help(i);
      }
    });
}

void Executor::help(unsigned index) {
  runBlocks(*runners[index]);
  if (--helping == 0)
    helping.notify_one();
}

void Executor::runBlocks(BlockRunner& runner) {
  const FaultGuard guard(runner);
  Result<void> result;
  for (bool first = true; result.ok(); first = false) {
    const uint64_t begin = nextBlock.fetch_add(chunk);
    if (begin >= blockCount)
      return;
    if (first)
      result = runner.startLaunch(*request);
    for (uint64_t block = begin; block < std::min(begin + chunk, blockCount) && result.ok(); ++block)
      result = runner.run(block);
  }
  nextBlock = blockCount; // the others stop
  const std::lock_guard lock(failureMutex);
  if (outcome.ok())
    outcome = std::move(result);
}

Result<void> Executor::launch(const LaunchRequest& launch) {
  LLCUDA_RETURN_IF_ERROR(check(launch));
  const std::lock_guard lock(mutex);
  request = &launch;
  outcome = {};
  blockCount = uint64_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  chunk = std::max<uint64_t>(1, blockCount / (threadCount * kChunksPerThread));
  nextBlock = 0;
  const bool helped = blockCount > 1 && threadCount > 1;
  if (helped) {
    startHelpers();
    helping = static_cast<uint32_t>(helpers.size());
    ++launchCount;
    launchCount.notify_all();
  }
  runBlocks(*runners[0]);
  if (helped)
    for (uint32_t left = helping; left != 0; left = helping) helping.wait(left);
  return std::move(outcome);
}

} // namespace llcuda::hostsim
