// SPDX-License-Identifier: Apache-2.0
// y[r][c] = the sum over j of taps[c][j] * u[p - kTaps + 1 + j][c], p being the row's position and u the rows of its
// sequence: x, or x[c] * x[2 columns + c] of what is gated, whose y is times x[columns + c]
//
//   launch     grid (ceil(columns / 4 / threads), rows), block (threads): codegen/spec/state_spec.cpp
//   x          [rows][columns, or 3 columns] f32, 16-byte aligned; columns are a multiple of 4
//   taps       [columns][kTaps] f32, the last of the row itself
//   state      [slots][kTaps][columns] f32: u at position q is row q % kTaps, so that the last row can be computed
//              again
//   output     f32 rows, int8 rows, or both; not x; zeros where a row is padding. int8 needs columns in multiples of 32
//   numerics   f32, from the first tap on, one rounding for each multiply-add: bits do not turn on the phase
//   aliasing   of each four columns one thread, that of the first row of a run, reads and writes the state; it makes
//              the rows that need it
#pragma once

#include "codegen/kernels/block/emit_row.cuh"
#include "codegen/kernels/ptx/math.cuh"
#include "codegen/kernels/state/row_run.cuh"

namespace llcuda {

struct ShortConvShape {
  int columns, taps;
  bool gated, silu;
  int threads; ///< of a block
};

/// Four columns of the rows of a phase. Not `valid`: there are none, and they are as others for the lanes beside them.
template <ShortConvShape kShape, RowForms kForms>
struct ConvColumns {
  static constexpr int kFours = kShape.columns / 4, kTaps = kShape.taps, kParts = kShape.gated ? 3 : 1;
  const float4* x;
  const float* taps;
  RowOutput<kForms> output;
  int four;
  bool valid;

  /// What the convolution reads of a row.
  LLCUDA_DEVICE float4 input(int row) const {
    const float4* from = x + static_cast<int64_t>(row) * kParts * kFours + four;
    const float4 a = from[0];
    if constexpr (!kShape.gated)
      return a;
    const float4 b = from[2 * kFours];
    return make_float4(a.x * b.x, a.y * b.y, a.z * b.z, a.w * b.w);
  }

  /// All lanes of a warp call.
  LLCUDA_DEVICE void emit(int row, float4 y) const { output.row(row, kShape.columns).store(four, y, valid); }

  /// Row `row` of y from the inputs of its last kTaps positions, its own the last.
  LLCUDA_DEVICE void store(int row, const float4 (&u)[kTaps]) const {
    float4 sum = make_float4(0.f, 0.f, 0.f, 0.f);
    const float* w = taps + four * 4 * kTaps;
    LLCUDA_UNROLL
    for (int j = 0; j < kTaps; ++j)
      sum = make_float4(fusedMultiplyAdd(loadReadOnly(w + j), u[j].x, sum.x),
                        fusedMultiplyAdd(loadReadOnly(w + kTaps + j), u[j].y, sum.y),
                        fusedMultiplyAdd(loadReadOnly(w + 2 * kTaps + j), u[j].z, sum.z),
                        fusedMultiplyAdd(loadReadOnly(w + 3 * kTaps + j), u[j].w, sum.w));
    if constexpr (kShape.silu)
      sum = make_float4(siluFast(sum.x), siluFast(sum.y), siluFast(sum.z), siluFast(sum.w));
    if constexpr (kShape.gated) {
      const float4 c = x[(static_cast<int64_t>(row) * kParts + 1) * kFours + four];
      sum = make_float4(c.x * sum.x, c.y * sum.y, c.z * sum.z, c.w * sum.w);
    }
    emit(row, sum);
  }
};

template <ShortConvShape kShape, RowForms kForms>
LLCUDA_DEVICE void shortConv(const float* x, const float* taps, const int* positions, const int* slots, float* state,
                             float* y, int8_t* codes, float2* scales) {
  static_assert(kShape.columns % 4 == 0, "rows are read as float4");
  constexpr int kFours = kShape.columns / 4, kTaps = kShape.taps;
  const int thread = static_cast<int>(blockIdx.x) * kShape.threads + static_cast<int>(threadIdx.x);
  const int four = minOf(thread, kFours - 1);
  const bool valid = thread < kFours;
  const ConvColumns<kShape, kForms> columns = {
      reinterpret_cast<const float4*>(x), taps, {y, codes, scales}, four, valid};
  const RowRuns runs = {positions, slots, static_cast<int>(gridDim.y)};
  const int row = static_cast<int>(blockIdx.y), position = runs.position(row);
  const float4 zeros = make_float4(0.f, 0.f, 0.f, 0.f);
  if (position < 0) {
    columns.emit(row, zeros);
    return;
  }
  float4 u[kTaps]; // of the last positions, the newest last
  if (!runs.begins(row)) {
    if (!runs.continues(row, 1 - kTaps))
      return; // the thread of the run's first row makes it
    LLCUDA_UNROLL
    for (int j = 0; j < kTaps; ++j) u[j] = columns.input(row + j + 1 - kTaps);
    columns.store(row, u);
    return;
  }
  float4* const ring = reinterpret_cast<float4*>(state) + static_cast<int64_t>(runs.slot(row)) * kTaps * kFours + four;
  LLCUDA_UNROLL
  for (int j = 1; j < kTaps; ++j) {
    const int before = position + j - kTaps;
    u[j] = before < 0 ? zeros : ring[before % kTaps * kFours];
  }
  const int count = runs.length(row);
  for (int i = 0; i < minOf(count, kTaps - 1); ++i) {
    LLCUDA_UNROLL
    for (int j = 0; j < kTaps - 1; ++j) u[j] = u[j + 1];
    u[kTaps - 1] = columns.input(row + i);
    columns.store(row + i, u);
  }
  LLCUDA_NO_UNROLL
  for (int i = maxOf(0, count - kTaps); valid && i < count; ++i)
    ring[(position + i) % kTaps * kFours] = columns.input(row + i);
}

} // namespace llcuda
