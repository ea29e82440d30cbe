// SPDX-License-Identifier: Apache-2.0
// Sums of 32 products of weight codes with 32 int8 codes x0:x1 of a row.
#pragma once

#include "codegen/kernels/base/device.cuh"

#if defined(__CUDACC_RTC__)

namespace llcuda {

/// Codes 0 ... 15: word j holds elements 4j ... 4j+3 in the low and 16+4j ... 16+4j+3 in the high nibbles of its bytes.
LLCUDA_DEVICE int dotQ4(const uint4& codes, const int4& x0, const int4& x1) {
  constexpr uint32_t kLow = 0x0f0f0f0fu;
  int sum = dp4a(codes.x & kLow, x0.x, 0);
  sum = dp4a((codes.x >> 4) & kLow, x1.x, sum);
  sum = dp4a(codes.y & kLow, x0.y, sum);
  sum = dp4a((codes.y >> 4) & kLow, x1.y, sum);
  sum = dp4a(codes.z & kLow, x0.z, sum);
  sum = dp4a((codes.z >> 4) & kLow, x1.z, sum);
  sum = dp4a(codes.w & kLow, x0.w, sum);
  return dp4a((codes.w >> 4) & kLow, x1.w, sum);
}

/// Signed bytes.
LLCUDA_DEVICE int dotS8(const int4& w0, const int4& w1, const int4& x0, const int4& x1) {
  int sum = dp4a(w0.x, x0.x, 0);
  sum = dp4a(w0.y, x0.y, sum);
  sum = dp4a(w0.z, x0.z, sum);
  sum = dp4a(w0.w, x0.w, sum);
  sum = dp4a(w1.x, x1.x, sum);
  sum = dp4a(w1.y, x1.y, sum);
  sum = dp4a(w1.z, x1.z, sum);
  return dp4a(w1.w, x1.w, sum);
}

/// The same of 16.
LLCUDA_DEVICE int dotS8(const uint4& w, const int4& x) {
  int sum = dp4a(static_cast<int>(w.x), x.x, 0);
  sum = dp4a(static_cast<int>(w.y), x.y, sum);
  sum = dp4a(static_cast<int>(w.z), x.z, sum);
  return dp4a(static_cast<int>(w.w), x.w, sum);
}

} // namespace llcuda

#endif
