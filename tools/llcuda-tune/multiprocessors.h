// SPDX-License-Identifier: Apache-2.0
// A share of a GPU's multiprocessors, by the CUDA Multi-Process Service: the waves and tails of a smaller card.
#pragma once

#include <cstdint>
#include <functional>

#include "runtime/base/result.h"

namespace llcuda::tune {

/// The share in per cent that is at most `count` of `total` multiprocessors; MPS rounds it up to whole ones. kNoDevice
/// where there is no such share.
Result<uint32_t> percentageOf(uint32_t count, uint32_t total);

/// Runs `work` in a process of its own that has `count` multiprocessors of device `index`, and answers what it answers,
/// or 128 and the signal that ended it. nvidia-cuda-mps-control is started for it, with folders of its own, and ended
/// with it; a signal that would end this program goes to `work`. kNoDevice where MPS does not start. To be called
/// before the program has threads or has used the driver, which reads the share once.
Result<int> onMultiprocessors(uint32_t count, int index, const std::function<int()>& work);

} // namespace llcuda::tune
