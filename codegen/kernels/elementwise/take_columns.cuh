// SPDX-License-Identifier: Apache-2.0
// y[i] = x[i / kShape.count * kShape.group + kShape.first + i % kShape.count]: of each group of columns some
//
//   launch    grid (ceil(kShape.elements / 4 / kShape.threads)), block (kShape.threads):
//             codegen/spec/elementwise_spec.cpp
//   x, y      f32, 16-byte aligned; y has kShape.elements elements and is not x. All numbers are multiples of 4.
#pragma once

#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

struct TakeShape {
  int elements; ///< of y
  int count, group, first;
  int threads; ///< of a block
};

template <TakeShape kShape>
LLCUDA_DEVICE void takeColumns(const float* x, float* y) {
  static_assert(kShape.count % 4 == 0 && kShape.group % 4 == 0 && kShape.first % 4 == 0, "columns are read as float4");
  constexpr int kCount = kShape.count / 4;
  const int i = static_cast<int>(blockIdx.x) * kShape.threads + static_cast<int>(threadIdx.x);
  if (i >= kShape.elements / 4)
    return;
  const int64_t from = static_cast<int64_t>(i / kCount) * (kShape.group / 4) + kShape.first / 4 + i % kCount;
  reinterpret_cast<float4*>(y)[i] = loadReadOnly(reinterpret_cast<const float4*>(x) + from);
}

} // namespace llcuda
