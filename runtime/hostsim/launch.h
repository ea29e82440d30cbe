// SPDX-License-Identifier: Apache-2.0
// Kernel templates called from C++, for tests:
//
//   hostsim::launch({.grid = 2, .block = 64}, [&] { rmsNorm<256, 64>(x.data(), scale.data(), y.data()); });
#pragma once

#include <stdexcept>
#include <type_traits>

#include "runtime/hostsim/executor.h"

namespace llcuda::hostsim {

struct LaunchShape {
  Dim3 grid;
  uint32_t block = 32; ///< threads
  uint32_t dynamicSharedBytes = 0;
};

/// Runs `body()` in every thread of the grid on `executor`.
template <typename Body>
Result<void> tryLaunch(Executor& executor, const LaunchShape& shape, const Body& body) {
  LaunchRequest request;
  request.grid = shape.grid;
  request.threads = shape.block;
  request.dynamicSharedBytes = shape.dynamicSharedBytes;
  void* const arguments[] = {const_cast<void*>(static_cast<const void*>(&body))};
  request.arguments = arguments;
  request.body = [](LlcudaHostContext* context, void* const* arguments) {
    llcudaHostContext = context;
    (*static_cast<const Body*>(arguments[0]))();
  };
  return executor.launch(request);
}

/// The same on one executor of the process that uses every processor.
template <typename Body>
Result<void> tryLaunch(const LaunchShape& shape, const Body& body) {
  static Executor executor;
  return tryLaunch(executor, shape, body);
}

/// The same; an error is thrown as std::runtime_error, so that the test fails with its message.
template <typename Body>
void launch(const LaunchShape& shape, const Body& body) {
  if (auto result = tryLaunch(shape, body); !result)
    throw std::runtime_error(result.error().message);
}

} // namespace llcuda::hostsim
