// SPDX-License-Identifier: Apache-2.0
// What decode and prompt attention share: shapes, where a page lies, and how results leave.
#pragma once

#include "codegen/kernels/base/device.cuh"
#include "codegen/kernels/block/quantize_row.cuh"
#include "codegen/kernels/ptx/half.cuh"
#include "codegen/kernels/ptx/math.cuh"

namespace llcuda {

constexpr int kPageTokens = 64;
constexpr float kLog2E = 1.4426950408889634f;
constexpr float kLowestScore = -1e30f; ///< where a maximum begins: finite, so that differences of two are never NaN

/// The score of a key that is not seen: its weight under any maximum is 0.
LLCUDA_DEVICE float maskedScore() {
  return bitCast<float>(0xff800000u);
}

/// Keys and values lie as [page][kKvHeads][kPageTokens][kHeadSize] f16; a row sees `kWindow` keys, 0: all up to its own.
template <int kHeads_, int kKvHeads_, int kHeadSize_, int kTablePages_, int kWindow_>
struct AttentionShape {
  static_assert(kHeads_ % kKvHeads_ == 0 && kHeads_ / kKvHeads_ <= 8, "1 to 8 query heads share a kv head");
  static_assert(kHeadSize_ % 16 == 0 && kHeadSize_ <= 256, "head size");
  static constexpr int kHeads = kHeads_;
  static constexpr int kKvHeads = kKvHeads_;
  static constexpr int kHeadSize = kHeadSize_;
  static constexpr int kTablePages = kTablePages_; ///< entries of a row of the block table
  static constexpr int kWindow = kWindow_;
  static constexpr int kGroup = kHeads_ / kKvHeads_;
  static constexpr int kGroupSize = kGroup * kHeadSize_; ///< elements of a row that one kv head makes

  /// First position that the row at `position` sees.
  static LLCUDA_DEVICE int firstKey(int position) { return kWindow == 0 ? 0 : maxOf(position - kWindow + 1, 0); }
  static LLCUDA_DEVICE bool sees(int position, int key) {
    return key <= position && (kWindow == 0 || key > position - kWindow);
  }
  /// Element where the 64 rows of a kv head's page begin.
  static LLCUDA_DEVICE long long pageStart(int page, int kvHead) {
    return (static_cast<long long>(page) * kKvHeads + kvHead) * (kPageTokens * kHeadSize);
  }
};

/// How a dot product becomes a score in units of log2: cap(scale * dot) * log2(e).
struct ScoreScale {
  float scale;
  float softcap; ///< 0: none

  LLCUDA_DEVICE float operator()(float dot) const {
    if (softcap == 0.f)
      return dot * (scale * kLog2E);
    return softcap * kLog2E * tanhOf(dot * (scale / softcap));
  }

private:
  static LLCUDA_DEVICE float tanhOf(float v) { return 1.f - 2.f * reciprocalFast(1.f + expFast(2.f * v)); }
};

/// Where a launch leaves its rows: f32, int8, or both; null is not wanted.
struct AttentionRows {
  float* y;
  int8_t* codes;
  float2* scales;

  /// Four elements of each lane at `element`, a multiple of 4 into the [rows][columns] matrix; all lanes call, and
  /// those of a group of 8 have 32 neighbouring elements when codes are wanted.
  LLCUDA_DEVICE void store(long long element, float4 v, bool valid) const {
    if (y && valid)
      *reinterpret_cast<float4*>(y + element) = v;
    if (codes)
      quantizeFour(v, valid, codes + element, scales + element / kRowBlock);
  }
};

} // namespace llcuda
