// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>

namespace llcuda::server {

/// Answers by status, for /metrics. Any thread.
class RequestCounts {
public:
  void add(int status) {
    const std::lock_guard lock(mutex);
    ++counts[status];
  }
  std::map<int, uint64_t> all() const {
    const std::lock_guard lock(mutex);
    return counts;
  }

private:
  mutable std::mutex mutex;
  std::map<int, uint64_t> counts;
};

} // namespace llcuda::server
