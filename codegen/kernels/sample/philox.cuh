// SPDX-License-Identifier: Apache-2.0
// Philox 4x32-10, a counter-based generator: the same (seed, step, stage) gives the same bits everywhere and in any
// order.
#pragma once

#include "codegen/kernels/base/device.cuh"

namespace llcuda {

/// 64 uniform bits of step `step` of the stream `seed`, others for each stage of the chain.
LLCUDA_DEVICE uint64_t philox(uint64_t seed, uint64_t step, uint32_t stage = 0) {
  uint32_t counter[4] = {static_cast<uint32_t>(step), static_cast<uint32_t>(step >> 32), stage, 0};
  uint32_t key[2] = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  LLCUDA_UNROLL
  for (int round = 0; round < 10; ++round) {
    const uint64_t even = uint64_t{0xd2511f53u} * counter[0], odd = uint64_t{0xcd9e8d57u} * counter[2];
    const uint32_t first = static_cast<uint32_t>(odd >> 32) ^ counter[1] ^ key[0];
    const uint32_t third = static_cast<uint32_t>(even >> 32) ^ counter[3] ^ key[1];
    counter[0] = first;
    counter[1] = static_cast<uint32_t>(odd);
    counter[2] = third;
    counter[3] = static_cast<uint32_t>(even);
    key[0] += 0x9e3779b9u;
    key[1] += 0xbb67ae85u;
  }
  return uint64_t{counter[1]} << 32 | counter[0];
}

/// The high half of the product of two 64-bit numbers.
LLCUDA_DEVICE uint64_t multiplyHigh(uint64_t a, uint64_t b) {
  const uint64_t aLow = a & 0xffffffffu, aHigh = a >> 32, bLow = b & 0xffffffffu, bHigh = b >> 32;
  const uint64_t middle = aHigh * bLow + (aLow * bLow >> 32);
  const uint64_t other = aLow * bHigh + (middle & 0xffffffffu);
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}

} // namespace llcuda
