// SPDX-License-Identifier: Apache-2.0
// Tests whose sweeps are too long for every commit take all of them when tools/dev/nightly runs them.
#pragma once

#include <cstdlib>

namespace llcuda {

inline bool nightly() noexcept {
  return std::getenv("LLCUDA_NIGHTLY") != nullptr;
}

} // namespace llcuda
