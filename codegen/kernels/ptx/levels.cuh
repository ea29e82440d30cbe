// SPDX-License-Identifier: Apache-2.0
// Look-up of bytes in a table of 16 that registers hold.
//
//   levelsOf(n, table)   the bytes that the eight nibbles of n stand for, in order; byte i of the table is byte i % 4
//                        of word i / 4
//   lowLevelsOf(n, a, b) the same of a table of eight bytes below 128, a and b; 0 for nibbles from 8 on
#pragma once

#include "codegen/kernels/base/device.cuh"

#if defined(__CUDACC_RTC__)

namespace llcuda {

/// bytePermute without the masking of its selectors: a fourth bit repeats the sign of the byte.
LLCUDA_DEVICE uint32_t permuteBySelector(uint32_t a, uint32_t b, uint32_t selector) {
  uint32_t r;
  asm("prmt.b32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(selector));
  return r;
}

/// `word` in a register that the compiler takes for another number in each lane: words of a known table would go to
/// uniform registers, where prmt cannot read them, and be copied before each prmt.
LLCUDA_DEVICE uint32_t inLaneRegister(uint32_t word) {
  uint32_t r;
  asm("{ .reg .b32 own, below, zero;\n\t"
      "shl.b32 own, 1, %2;\n\t"
      "sub.u32 below, own, 1;\n\t"
      "and.b32 zero, own, below;\n\t"
      "or.b32 %0, zero, %1; }"
      : "=r"(r)
      : "r"(word), "r"(threadIdx.x & 31));
  return r;
}

LLCUDA_DEVICE uint2 levelsOf(uint32_t nibbles, const uint32_t (&table)[4]) {
  // prmt takes three bits of a selector: the bytes of both halves of the table, then a choice by the fourth bit.
  const uint32_t low = nibbles & 0x77777777u;
  const uint32_t half = (nibbles >> 1 & 0x44444444u) | 0x32103210u;
  const auto four = [&](uint32_t selector, uint32_t choice) {
    return permuteBySelector(permuteBySelector(inLaneRegister(table[0]), table[1], selector),
                             permuteBySelector(inLaneRegister(table[2]), table[3], selector), choice);
  };
  return make_uint2(four(low, half), four(low >> 16, half >> 16));
}

LLCUDA_DEVICE uint2 lowLevelsOf(uint32_t nibbles, uint32_t a, uint32_t b) {
  // A fourth bit in a selector makes prmt repeat the byte's sign, which is 0.
  const uint32_t first = inLaneRegister(a);
  return make_uint2(permuteBySelector(first, b, nibbles), permuteBySelector(first, b, nibbles >> 16));
}

} // namespace llcuda

#endif
