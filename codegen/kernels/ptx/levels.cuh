// SPDX-License-Identifier: Apache-2.0
// Look-up of bytes in a table of 16 that registers hold.
//
//   levelsOf(n, table)   the bytes that the eight nibbles of n stand for, in order; byte i of the table is byte i % 4 of
//                        word i / 4
#pragma once

#include "codegen/kernels/base/device.cuh"

#if defined(__CUDACC_RTC__)

namespace llcuda {

LLCUDA_DEVICE uint2 levelsOf(uint32_t nibbles, const uint32_t (&table)[4]) {
  // prmt takes three bits of a selector: the bytes of both halves of the table, then a choice by the fourth bit.
  const uint32_t low = nibbles & 0x77777777u;
  const uint32_t half = (nibbles >> 1 & 0x44444444u) | 0x32103210u;
  const uint32_t first = bytePermute(bytePermute(table[0], table[1], low), bytePermute(table[2], table[3], low), half);
  const uint32_t lowNext = low >> 16, halfNext = half >> 16;
  return make_uint2(
      first, bytePermute(bytePermute(table[0], table[1], lowNext), bytePermute(table[2], table[3], lowNext), halfNext));
}

} // namespace llcuda

#endif
