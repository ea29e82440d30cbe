// SPDX-License-Identifier: Apache-2.0
// Logits and their ids as numbers in the order of their probability.
#pragma once

#include "codegen/kernels/base/device.cuh"

namespace llcuda {

/// Orders logits as unsigned numbers, larger first of two of the same logit the one of the lower id. A NaN comes before
/// all. No logit has the key 0.
LLCUDA_DEVICE uint64_t logitKey(float logit, int id) {
  const uint32_t bits = bitCast<uint32_t>(logit);
  const uint32_t ordered = logit != logit ? ~0u : bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
  return uint64_t{ordered} << 32 | ~static_cast<uint32_t>(id);
}
LLCUDA_DEVICE bool isNumber(uint64_t key) {
  return static_cast<uint32_t>(key >> 32) != ~0u;
}
LLCUDA_DEVICE int idOfKey(uint64_t key) {
  return static_cast<int>(~static_cast<uint32_t>(key));
}
/// The logit of a key that is a number's.
LLCUDA_DEVICE float logitOfKey(uint64_t key) {
  const uint32_t ordered = static_cast<uint32_t>(key >> 32);
  return bitCast<float>(ordered >> 31 != 0 ? ordered & 0x7fffffffu : ~ordered);
}

} // namespace llcuda
