// SPDX-License-Identifier: Apache-2.0
// y[r][c] = d[c] / sqrt(mean(d^2) + eps) * scale[c] + shift[c], where d = x[r] - mean(x[r])
//
//   launch    grid (rows), block (kShape.threads); numbers from codegen/spec/rows_spec.cpp
//   x         [rows][columns] f32, 16-byte aligned; y may be x
//   scale     [columns] f32, 16-byte aligned
//   shift     the same; null: nothing is added
//   output    f32 rows, int8 rows, f16 rows, or several of them
//   numerics  f32 sums, of the differences to the mean once that is known, whose own mean is taken off them; rsqrt
//             within 2 ulp: NMSE against codegen/reference/layer_norm.h below 1e-11
//   sm_75     16-byte loads; up to 8 x 4 x threads columns each element is read once
#pragma once

#include "codegen/kernels/block/row_shape.cuh"
#include "codegen/kernels/norm/norm_rows.cuh"

namespace llcuda {

template <RowShape kShape, RowForms kForms>
LLCUDA_DEVICE void layerNorm(const float* x, const float* scale, const float* shift, float* y, int8_t* codes,
                             float2* scales, float eps, uint8_t* halves = nullptr, float* halfScales = nullptr) {
  constexpr int kColumns = kShape.columns, kThreads = kShape.threads;
  static_assert(kColumns % kRowBlock == 0, "rows are whole blocks of int8 rows");
  constexpr int kFours = kColumns / 4;
  constexpr int kPasses = (kFours + kThreads - 1) / kThreads;
  constexpr bool kKeep = kPasses <= 8;
  const int row = blockIdx.x;
  const float4* const fours = reinterpret_cast<const float4*>(x + static_cast<int64_t>(row) * kColumns);
  const float4 zero = make_float4(0.f, 0.f, 0.f, 0.f);

  float4 kept[kKeep ? kPasses : 1];
  float sum = 0.f;
  repeat<kKeep, kPasses>([&](int p) {
    const int i = p * kThreads + threadIdx.x;
    const float4 v = i < kFours ? fours[i] : zero;
    sum += (v.x + v.y) + (v.z + v.w);
    if (kKeep)
      kept[p] = v;
  });
  const float mean = blockSum<kThreads>(sum) * (1.f / kColumns);
  const auto difference = [&](int p, int i, bool valid) {
    float4 v = zero;
    if (kKeep)
      v = kept[kKeep ? p : 0];
    else if (valid)
      v = fours[i];
    return valid ? make_float4(v.x - mean, v.y - mean, v.z - mean, v.w - mean) : zero;
  };
  float sums[2] = {}; // of the differences, which are what the mean's rounding left, and of their squares
  repeat<kKeep, kPasses>([&](int p) {
    const int i = p * kThreads + threadIdx.x;
    const float4 d = difference(p, i, i < kFours);
    sums[0] += (d.x + d.y) + (d.z + d.w);
    sums[1] += sumOfSquares(d);
  });
  blockSum<kThreads>(sums);
  const float rest = sums[0] * (1.f / kColumns);
  const float inverse = rsqrtFast(sums[1] * (1.f / kColumns) - rest * rest + eps);

  const auto normed = [&](int p, int i, bool valid) {
    const int at = valid ? i : 0;
    const float4 d = difference(p, i, valid);
    const float4 v = scaled(make_float4(d.x - rest, d.y - rest, d.z - rest, d.w - rest), inverse,
                            loadReadOnly(reinterpret_cast<const float4*>(scale) + at));
    if (!shift)
      return v;
    const float4 s = loadReadOnly(reinterpret_cast<const float4*>(shift) + at);
    return make_float4(v.x + s.x, v.y + s.y, v.z + s.z, v.w + s.w);
  };
  using Output = RowOutput<kForms>;
  const Output output = Output{y, codes, scales, halves, halfScales}.row(row, kColumns);
  HalfScale half = {};
  if constexpr (Output::kHalves)
    half = halfScaleOfRow<kFours, kThreads, kPasses, kKeep>(output.halfScales,
                                                            [&](int p, int i) { return normed(p, i, true); });
  repeat<kKeep, kPasses>([&](int p) {
    const int i = p * kThreads + threadIdx.x;
    const bool valid = i < kFours;
    const float4 v = normed(p, i, valid);
    output.store(i, v, valid);
    if (Output::kHalves && valid)
      storeHalves(output.halves, i, v, half.up);
  });
}

} // namespace llcuda
