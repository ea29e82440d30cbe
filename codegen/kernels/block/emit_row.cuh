// SPDX-License-Identifier: Apache-2.0
// Rows of results as f32, as int8 rows, as f16 rows, or as several of them.
#pragma once

#include "codegen/kernels/block/half_row.cuh"
#include "codegen/kernels/block/quantize_row.cuh"

namespace llcuda {

/// In which forms rows are emitted.
struct RowForms {
  bool f32 = false;
  bool int8 = false;
  RowOrder order = RowOrder::kRows; ///< of int8 rows
  bool halves = false;              ///< f16 rows; of norms, whose blocks know the largest element of a row
};

template <RowForms kForms>
struct RowOutput {
  static constexpr bool kF32 = kForms.f32, kInt8 = kForms.int8, kHalves = kForms.halves;
  static constexpr RowOrder kOrder = kForms.order;
  float* y;                  ///< 16-byte aligned; not used without kF32
  int8_t* codes;             ///< not used without kInt8
  float2* scales;            ///< not used without kInt8
  uint8_t* halves = nullptr; ///< f16 rows, and what they are multiplied with; not used without kHalves
  float* halfScales = nullptr;

  /// Where row `row` of rows of `columns` goes.
  LLCUDA_DEVICE RowOutput row(int row, int columns) const {
    return {kF32 ? y + row * columns : y, kInt8 ? codes + codesOfRow(kOrder, row, columns) : codes,
            kInt8 ? moved(scales, scalesOfRow(kOrder, row, columns)) : scales,
            kHalves ? halves + halvesOfRow(row, columns) : halves, kHalves ? halfScales + row : halfScales};
  }

  /// Of a row, but for its halves: stores elements 4 * four ... + 3. All lanes of a warp call, with consecutive numbers
  /// from a multiple of 8 on; those with `valid` false store nothing.
  LLCUDA_DEVICE void store(int four, float4 v, bool valid) const {
    if (kF32 && valid)
      reinterpret_cast<float4*>(y)[four] = v;
    if (kInt8)
      quantizeFour<kOrder>(v, valid, codes + codesOfFour(kOrder, four),
                           reinterpret_cast<float*>(moved(scales, four / 8 * scalesStep(kOrder))));
  }

  /// Of all rows, `rows` of `columns`: stores block `block` of tile `tile`; a warp has the whole of it. Only in the
  /// order of fragments. All lanes call.
  LLCUDA_DEVICE void storeFragment(int tile, int block, int rows, int columns, const FragmentFours& v) const {
    static_assert(kOrder == RowOrder::kFragments || !kInt8, "rows by themselves are stored by store()");
    const int g = laneId() / 4, q = laneId() % 4;
    LLCUDA_UNROLL
    for (int r = 0; kF32 && r < 2; ++r) {
      const int row = tile * kFragmentRows + g + 8 * r;
      float4* const to = reinterpret_cast<float4*>(y + row * columns + block * kRowBlock) + q;
      if (row < rows)
        to[0] = v.of[r][0], to[4] = v.of[r][1];
    }
    if (kInt8) {
      const int at = tile * (columns / kRowBlock) + block;
      quantizeFragment(v, codes + static_cast<int64_t>(at) * codesStep(kOrder),
                       reinterpret_cast<FragmentScales*>(scales) + at);
    }
  }

private:
  static LLCUDA_DEVICE float2* moved(float2* from, uint64_t bytes) {
    return reinterpret_cast<float2*>(reinterpret_cast<uint8_t*>(from) + bytes);
  }
};

} // namespace llcuda
