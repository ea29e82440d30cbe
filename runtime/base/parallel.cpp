// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace llcuda {

void parallelFor(unsigned threads, size_t count, size_t grain, const std::function<void(size_t, size_t)>& work) {
  std::atomic<size_t> next = 0;
  const auto takeRanges = [&] {
    for (size_t begin; (begin = next.fetch_add(grain)) < count;) work(begin, std::min(begin + grain, count));
  };
  const size_t ranges = (count + grain - 1) / grain;
  std::vector<std::jthread> others;
  for (size_t i = 1; i < std::min<size_t>(threads, ranges); ++i) others.emplace_back(takeRanges);
  takeRanges();
}

} // namespace llcuda
