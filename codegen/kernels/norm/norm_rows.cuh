// SPDX-License-Identifier: Apache-2.0
// One block normalises a few rows together: x[c] / sqrt(mean(x^2) + eps) * scale[c]. Of a sum, perhaps, of which one
// part is normed before it is added.
#pragma once

#include "codegen/kernels/block/emit_row.cuh"
#include "codegen/kernels/block/reduce.cuh"
#include "codegen/kernels/ptx/load.cuh"

namespace llcuda {

LLCUDA_DEVICE float sumOfSquares(float4 v) {
  return v.x * v.x + v.y * v.y + (v.z * v.z + v.w * v.w);
}

LLCUDA_DEVICE float4 scaled(float4 v, float factor, float4 scale) {
  return make_float4(v.x * factor * scale.x, v.y * factor * scale.y, v.z * factor * scale.z, v.w * factor * scale.w);
}

/// 1 / sqrt(mean(x^2) + eps) of a row, from the sum of its squares.
template <int kColumns>
LLCUDA_DEVICE float inverseRms(float squares, float eps) {
  return rsqrtFast(squares * (1.f / kColumns) + eps);
}

/// Calls f(0) ... f(kCount - 1), unrolled or in a loop.
template <bool kUnrolled, int kCount, typename F>
LLCUDA_DEVICE void repeat(F f) {
  if constexpr (kUnrolled) {
    LLCUDA_UNROLL
    for (int i = 0; i < kCount; ++i) f(i);
  } else {
    LLCUDA_NO_UNROLL
    for (int i = 0; i < kCount; ++i) f(i);
  }
}

/// What a row of f16 is multiplied with. valueOf(p, i) gives elements 4i ... 4i + 3 of the row, which the thread has in
/// pass p. All threads of the block call.
template <int kFours, int kThreads, int kPasses, bool kUnrolled, typename ValueOf>
LLCUDA_DEVICE HalfScale halfScaleOfRow(float* stored, ValueOf valueOf) {
  float peak = 0.f;
  repeat<kUnrolled, kPasses>([&](int p) {
    const int i = p * kThreads + threadIdx.x;
    if (i < kFours)
      peak = maxOf(peak, peakOf(valueOf(p, i)));
  });
  const HalfScale scale = halfScaleFor(blockMax<kThreads>(peak));
  if (threadIdx.x == 0)
    *stored = scale.down;
  return scale;
}

/// `load(r, i)` gives elements 4i ... 4i + 3 of row r as float4; it is called again for what registers cannot keep. A
/// row may be stored where it was loaded from. kColumns is a multiple of 32. All threads of the block call.
template <int kColumns, int kThreads, int kRows, typename Output, typename Load>
LLCUDA_DEVICE void normRows(Load load, const float* scale, float eps, const Output& output) {
  static_assert(kColumns % kRowBlock == 0, "rows are whole blocks of int8 rows");
  constexpr int kFours = kColumns / 4;
  constexpr int kPasses = (kFours + kThreads - 1) / kThreads;
  constexpr bool kKeep = kRows * kPasses <= 8;
  const float4 zero = make_float4(0.f, 0.f, 0.f, 0.f);

  float4 kept[kKeep ? kRows * kPasses : 1], scales[kKeep ? kPasses : 1];
  float sums[kRows] = {};
  repeat<kKeep, kPasses>([&](int p) {
    const int i = p * kThreads + threadIdx.x;
    LLCUDA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const float4 v = i < kFours ? load(r, i) : zero;
      sums[r] += sumOfSquares(v);
      if (kKeep)
        kept[r * kPasses + p] = v;
    }
    if (kKeep)
      scales[p] = loadReadOnly(reinterpret_cast<const float4*>(scale) + (i < kFours ? i : 0));
  });
  blockSum<kThreads>(sums);

  const auto normed = [&](int r, int p, int i, bool valid) {
    const float4 s =
        kKeep ? scales[kKeep ? p : 0] : loadReadOnly(reinterpret_cast<const float4*>(scale) + (valid ? i : 0));
    const float4 v = kKeep ? kept[kKeep ? r * kPasses + p : 0] : valid ? load(r, i) : zero;
    return scaled(v, inverseRms<kColumns>(sums[r], eps), s);
  };
  HalfScale half = {};
  if constexpr (Output::kHalves) {
    static_assert(kRows == 1, "a block knows the largest element of one row");
    half = halfScaleOfRow<kFours, kThreads, kPasses, kKeep>(output.halfScales,
                                                            [&](int p, int i) { return normed(0, p, i, true); });
  }
  repeat<kKeep, kPasses>([&](int p) {
    const int i = p * kThreads + threadIdx.x;
    const bool valid = i < kFours;
    LLCUDA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const float4 v = normed(r, p, i, valid);
      output.row(r, kColumns).store(i, v, valid);
      if (Output::kHalves && valid)
        storeHalves(output.halves, i, v, half.up);
    }
  });
}

/// What becomes of a sum before it is normed: it is times a factor, or emitted itself.
struct SumForm {
  uint32_t factor = 0x3f800000; ///< bits of an f32
  bool copied = false;
};

/// sum = residual + norm(x) * postScale, perhaps times a factor, then norm(sum) * scale, or the sum, to `output`; both
/// norms have one eps. `load(r, i)` and `residual(r, i)` give elements 4i ... 4i + 3 of row r as float4; `sum` is
/// [kRows][kColumns] and may be where either comes from. All threads of the block call.
template <int kColumns, int kThreads, int kRows, SumForm kSum = SumForm{}, typename Output, typename Load,
          typename Residual>
LLCUDA_DEVICE void postNormRows(Load load, const float* postScale, Residual residual, const float* scale, float eps,
                                float* sum, const Output& output) {
  static_assert(kColumns % kRowBlock == 0, "rows are whole blocks of int8 rows");
  constexpr int kFours = kColumns / 4;
  constexpr int kPasses = (kFours + kThreads - 1) / kThreads;
  constexpr bool kKeep = kRows * kPasses <= 8;
  const float4 zero = make_float4(0.f, 0.f, 0.f, 0.f);
  const auto fourOf = [](const float* vector, int i) {
    return loadReadOnly(reinterpret_cast<const float4*>(vector) + i);
  };

  float4 kept[kKeep ? kRows * kPasses : 1];
  float squares[kRows] = {};
  repeat<kKeep, kPasses>([&](int p) {
    const int i = p * kThreads + threadIdx.x;
    LLCUDA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const float4 v = i < kFours ? load(r, i) : zero;
      squares[r] += sumOfSquares(v);
      if (kKeep)
        kept[r * kPasses + p] = v;
    }
  });
  blockSum<kThreads>(squares);

  float sumSquares[kRows] = {};
  repeat<kKeep, kPasses>([&](int p) {
    const int i = p * kThreads + threadIdx.x;
    if (i >= kFours)
      return;
    const float4 post = fourOf(postScale, i);
    LLCUDA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const float4 v =
          scaled(kKeep ? kept[kKeep ? r * kPasses + p : 0] : load(r, i), inverseRms<kColumns>(squares[r], eps), post);
      const float4 stream = residual(r, i);
      float4 total = make_float4(v.x + stream.x, v.y + stream.y, v.z + stream.z, v.w + stream.w);
      if constexpr (kSum.factor != SumForm().factor) {
        const float factor = bitCast<float>(kSum.factor);
        total = make_float4(total.x * factor, total.y * factor, total.z * factor, total.w * factor);
      }
      sumSquares[r] += sumOfSquares(total);
      if (kKeep)
        kept[r * kPasses + p] = total;
      reinterpret_cast<float4*>(sum + r * kColumns)[i] = total;
    }
  });
  if constexpr (!kSum.copied)
    blockSum<kThreads>(sumSquares);

  const auto normed = [&](int r, int p, int i, bool valid) {
    float4 v = zero;
    if (kKeep)
      v = kept[kKeep ? r * kPasses + p : 0];
    else if (valid) // this thread stored it
      v = reinterpret_cast<const float4*>(sum + r * kColumns)[i];
    if constexpr (kSum.copied)
      return v;
    else
      return scaled(v, inverseRms<kColumns>(sumSquares[r], eps), fourOf(scale, valid ? i : 0));
  };
  HalfScale half = {};
  if constexpr (Output::kHalves) {
    static_assert(kRows == 1, "a block knows the largest element of one row");
    half = halfScaleOfRow<kFours, kThreads, kPasses, kKeep>(output.halfScales,
                                                            [&](int p, int i) { return normed(0, p, i, true); });
  }
  repeat<kKeep, kPasses>([&](int p) {
    const int i = p * kThreads + threadIdx.x;
    const bool valid = i < kFours;
    LLCUDA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const float4 v = normed(r, p, i, valid);
      output.row(r, kColumns).store(i, v, valid);
      if (Output::kHalves && valid)
        storeHalves(output.halves, i, v, half.up);
    }
  });
}

} // namespace llcuda
