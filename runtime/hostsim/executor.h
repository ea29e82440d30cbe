// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/base/result.h"
#include "runtime/hostsim/launch_request.h"

namespace llcuda::hostsim {

class BlockRunner;

/// Runs launches, one at a time, their blocks spread over operating system threads.
class Executor {
public:
  /// `threads` operating system threads run blocks, the one that calls launch() among them; 0 means one per processor.
  explicit Executor(unsigned threads = 0);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Returns when all blocks have run, or when one has failed and the others under way have ended. Any thread may call.
  Result<void> launch(const LaunchRequest& request);

private:
  void startHelpers();
  void help(unsigned index);
  void runBlocks(BlockRunner& runner);

  std::mutex mutex; // held by launch()
  unsigned threadCount;
  std::vector<std::unique_ptr<BlockRunner>> runners; // [0] is that of the thread that calls launch()
  std::vector<std::thread> helpers;

  const LaunchRequest* request = nullptr;
  uint64_t blockCount = 0, chunk = 1;
  std::atomic<uint64_t> nextBlock{0};
  std::atomic<uint32_t> launchCount{0}; // helpers wait for it to change
  std::atomic<uint32_t> helping{0};     // helpers that have not finished the launch
  std::atomic<bool> stopping{false};

  std::mutex failureMutex;
  Result<void> outcome;
};

} // namespace llcuda::hostsim
