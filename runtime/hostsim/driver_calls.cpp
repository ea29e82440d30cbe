// SPDX-License-Identifier: Apache-2.0
#include "runtime/hostsim/driver_calls.h"

#include <algorithm>
#include <numeric>

namespace llcuda::hostsim {
namespace {

/// kDriverCallCount when there is none of this name.
size_t indexOf(std::string_view function) {
  return static_cast<size_t>(std::find(std::begin(kDriverCallNames), std::end(kDriverCallNames), function) -
                             std::begin(kDriverCallNames));
}

} // namespace

cuda::CUresult DriverCalls::count(DriverCall call) {
  const std::lock_guard lock(mutex);
  const auto index = static_cast<size_t>(call);
  ++counts[index];
  if (left == 0 || (target != kDriverCallCount && target != index) || --left != 0)
    return cuda::CUDA_SUCCESS;
  hasStruck = true;
  return answer;
}

bool DriverCalls::inject(std::string_view function, uint64_t nth, cuda::CUresult result) {
  const size_t index = indexOf(function);
  if (!function.empty() && index == kDriverCallCount)
    return false;
  const std::lock_guard lock(mutex);
  target = index;
  left = nth;
  answer = result;
  hasStruck = false;
  return true;
}

bool DriverCalls::struck() const {
  const std::lock_guard lock(mutex);
  return hasStruck;
}

uint64_t DriverCalls::calls(std::string_view function) const {
  const std::lock_guard lock(mutex);
  if (function.empty())
    return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  const size_t index = indexOf(function);
  return index == kDriverCallCount ? 0 : counts[index];
}

} // namespace llcuda::hostsim
