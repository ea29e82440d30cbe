// SPDX-License-Identifier: Apache-2.0
// Sums of products of weight codes with int8 codes of a row.
#pragma once

#include "codegen/kernels/base/device.cuh"

#if defined(__CUDACC_RTC__)

namespace llcuda {

/// start plus the sum of 16 products of signed bytes.
LLCUDA_DEVICE int dotS8(const uint4& w, const int4& x, int start = 0) {
  int sum = dp4a(static_cast<int>(w.x), x.x, start);
  sum = dp4a(static_cast<int>(w.y), x.y, sum);
  sum = dp4a(static_cast<int>(w.z), x.z, sum);
  return dp4a(static_cast<int>(w.w), x.w, sum);
}

} // namespace llcuda

#endif
