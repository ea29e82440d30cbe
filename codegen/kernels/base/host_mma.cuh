// SPDX-License-Identifier: Apache-2.0
// Tensor-core operations on the host, with the fragment layouts of the PTX ISA. Included by host.cuh alone.
//
// Lane l is number l % 4 of group l / 4. The tile forms compute the products of all a[m] with all b[n] in one meeting.
#pragma once

#include "codegen/kernels/base/host.cuh"

namespace llcuda {
namespace host {

/// rows[m][k] and columns[n][k] as 16 bits, of m8n8k16 s8: lane l holds codes 4 * (l % 4) ... + 3 of row or column l
/// / 4.
struct alignas(32) S8Tile {
  int16_t codes[8][16];
};

inline void spread(S8Tile& tile, uint32_t lane, uint32_t packed) {
  for (uint32_t i = 0; i < 4; ++i) tile.codes[lane / 4][4 * (lane % 4) + i] = static_cast<int8_t>(packed >> (8 * i));
}

/// The eight columns of the product of one row with a tile: pairs[p][n] are elements 2p and 2p + 1 of column n.
inline S32x8 rowProduct(const int16_t (&row)[16], const S32x8 (&pairs)[8]) {
  S32x8 sum = {};
  for (int p = 0; p < 8; ++p) {
    int32_t two;
    __builtin_memcpy(&two, &row[2 * p], sizeof two);
    sum += (S32x8)__builtin_ia32_pmaddwd256((S16x16)(S32x8{} + two), (S16x16)pairs[p]);
  }
  return sum;
}

template <int M, int N>
struct S8Operands {
  int (&d)[M][N][2];
  const uint32_t (&a)[M];
  const uint32_t (&b)[N];
};

template <int M, int N>
void multiplyS8(S8Operands<M, N>* const* lanes) {
  S32x8 pairs[N][8];
  for (int n = 0; n < N; ++n) {
    S8Tile columns;
    for (int l = 0; l < 32; ++l) spread(columns, l, lanes[l]->b[n]);
    for (int p = 0; p < 8; ++p)
      for (int c = 0; c < 8; ++c)
        __builtin_memcpy(reinterpret_cast<char*>(&pairs[n][p]) + 4 * c, &columns.codes[c][2 * p], 4);
  }
  for (int m = 0; m < M; ++m) {
    S8Tile rows;
    for (int l = 0; l < 32; ++l) spread(rows, l, lanes[l]->a[m]);
    for (int n = 0; n < N; ++n)
      for (int r = 0; r < 8; ++r) {
        const S32x8 sums = rowProduct(rows.codes[r], pairs[n]);
        for (int c = 0; c < 8; ++c) lanes[4 * r + c / 2]->d[m][n][c % 2] += sums[c];
      }
  }
}

template <int M, int N>
struct F16Operands {
  float (&d)[M][N][4];
  const uint32_t (&a)[M][2];
  const uint32_t (&b)[N];
};

inline float halfOf(uint32_t packed, int i) {
  return toFloat(Half{static_cast<uint16_t>(packed >> (16 * i))});
}

/// m16n8k8: lane l holds elements 2 * (l % 4) and + 1 of row l / 4 (a[0]), row l / 4 + 8 (a[1]) and column l / 4 (b).
template <int M, int N>
void multiplyF16(F16Operands<M, N>* const* lanes) {
  F32x8 columns[N][8]; // [k], the eight columns
  for (int n = 0; n < N; ++n)
    for (int l = 0; l < 32; ++l)
      for (int i = 0; i < 2; ++i) columns[n][2 * (l % 4) + i][l / 4] = halfOf(lanes[l]->b[n], i);
  for (int m = 0; m < M; ++m)
    for (int row = 0; row < 16; ++row) {
      float a[8];
      for (int k = 0; k < 8; ++k) a[k] = halfOf(lanes[4 * (row % 8) + k / 2]->a[m][row / 8], k % 2);
      for (int n = 0; n < N; ++n) {
        F32x8 sums = {};
        for (int k = 0; k < 8; ++k) sums += a[k] * columns[n][k];
        for (int c = 0; c < 8; ++c) lanes[4 * (row % 8) + c / 2]->d[m][n][2 * (row / 8) + c % 2] += sums[c];
      }
    }
}

/// kMatrices 8 x 8 matrices of 16-bit elements. Lane 8 * j + i comes with the address of row i of matrix j.
template <int kMatrices, bool kTransposed>
LLCUDA_DEVICE void loadMatrices(uint32_t (&registers)[kMatrices], const void* row) {
  struct Operands {
    uint32_t (&registers)[kMatrices];
    const void* row;
  } mine{registers, row};
  failUnless(__builtin_bit_cast(uintptr_t, row) % 16 == 0, "ldmatrix at an address that is no multiple of 16");
  meet("ldmatrix", mine, [](Operands* const* lanes) {
    for (int j = 0; j < kMatrices; ++j)
      for (int l = 0; l < 32; ++l) {
        uint16_t elements[2];
        for (int i = 0; i < 2; ++i) {
          const int r = kTransposed ? 2 * (l % 4) + i : l / 4, c = kTransposed ? l / 4 : 2 * (l % 4) + i;
          __builtin_memcpy(&elements[i], static_cast<const char*>(lanes[8 * j + r]->row) + 2 * c, 2);
        }
        lanes[l]->registers[j] = elements[0] | static_cast<uint32_t>(elements[1]) << 16;
      }
  });
}

} // namespace host

/// d[m][n] += a[m] * b[n]; a is 8 x 16 by rows, b is 16 x 8 by columns, both int8; d is 8 x 8 int32.
template <int M, int N>
LLCUDA_DEVICE void mmaS8Tile(int (&d)[M][N][2], const uint32_t (&a)[M], const uint32_t (&b)[N]) {
  host::S8Operands<M, N> mine{d, a, b};
  host::meet("mma s8", mine, host::multiplyS8<M, N>);
}
/// d[m][n] = c + a[m] * b[n], c being one value for all.
template <int M, int N>
LLCUDA_DEVICE void mmaS8Tile(int (&d)[M][N][2], int c, const uint32_t (&a)[M], const uint32_t (&b)[N]) {
  for (auto& row : d)
    for (auto& tile : row) tile[0] = tile[1] = c;
  mmaS8Tile(d, a, b);
}
LLCUDA_DEVICE void mmaS8M8N8K16(int (&d)[2], uint32_t a, uint32_t b) {
  const uint32_t as[1] = {a}, bs[1] = {b};
  int ds[1][1][2] = {{{d[0], d[1]}}};
  mmaS8Tile(ds, as, bs);
  d[0] = ds[0][0][0], d[1] = ds[0][0][1];
}

/// d[m][n] += a[m] * b[n]; a is 16 x 8 by rows, b is 8 x 8 by columns, both f16; d is 16 x 8 f32.
template <int M, int N>
LLCUDA_DEVICE void mmaF16Tile(float (&d)[M][N][4], const uint32_t (&a)[M][2], const uint32_t (&b)[N]) {
  host::F16Operands<M, N> mine{d, a, b};
  host::meet("mma f16", mine, host::multiplyF16<M, N>);
}
LLCUDA_DEVICE void mmaF16M16N8K8(float (&d)[4], const uint32_t (&a)[2], uint32_t b) {
  const uint32_t as[1][2] = {{a[0], a[1]}}, bs[1] = {b};
  float ds[1][1][4] = {{{d[0], d[1], d[2], d[3]}}};
  mmaF16Tile(ds, as, bs);
  for (int i = 0; i < 4; ++i) d[i] = ds[0][0][i];
}

LLCUDA_DEVICE void ldmatrixX1(uint32_t (&r)[1], const void* row) {
  host::loadMatrices<1, false>(r, row);
}
LLCUDA_DEVICE void ldmatrixX2(uint32_t (&r)[2], const void* row) {
  host::loadMatrices<2, false>(r, row);
}
LLCUDA_DEVICE void ldmatrixX4(uint32_t (&r)[4], const void* row) {
  host::loadMatrices<4, false>(r, row);
}
LLCUDA_DEVICE void ldmatrixX1Trans(uint32_t (&r)[1], const void* row) {
  host::loadMatrices<1, true>(r, row);
}
LLCUDA_DEVICE void ldmatrixX2Trans(uint32_t (&r)[2], const void* row) {
  host::loadMatrices<2, true>(r, row);
}
LLCUDA_DEVICE void ldmatrixX4Trans(uint32_t (&r)[4], const void* row) {
  host::loadMatrices<4, true>(r, row);
}

} // namespace llcuda
