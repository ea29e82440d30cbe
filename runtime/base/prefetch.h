// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <utility>

namespace llcuda {

/// Makes the results of jobs 0, 1, 2, ... on several threads, some ahead of the one that is taken next, and hands them
/// out in order. The object outlives its jobs: its destructor waits for those that run.
template <typename T>
class Prefetch {
public:
  struct Jobs {
    std::size_t count = 0;
    unsigned threads = 1;                         ///< jobs that may be under way or wait to be taken
    uint64_t maxBytes = 0;                        ///< that these may hold together; one job may always run
    std::function<uint64_t(std::size_t)> bytesOf; ///< of a job's result
    std::function<T(std::size_t)> make;           ///< called on any thread
  };

  explicit Prefetch(Jobs jobs) : jobs(std::move(jobs)) {}
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  /// The result of the next job; called `count` times at most.
  T next() {
    while (started < jobs.count && pending.size() < jobs.threads &&
           (pending.empty() || heldBytes + jobs.bytesOf(started) <= jobs.maxBytes))
      start();
    T result = pending.front().get();
    pending.pop_front();
    heldBytes -= jobs.bytesOf(taken++);
    return result;
  }

private:
  void start() {
    heldBytes += jobs.bytesOf(started);
    pending.push_back(std::async(std::launch::async, [this, job = started] { return jobs.make(job); }));
    ++started;
  }

  Jobs jobs;
  std::deque<std::future<T>> pending;
  std::size_t started = 0;
  std::size_t taken = 0;
  uint64_t heldBytes = 0;
};

} // namespace llcuda
