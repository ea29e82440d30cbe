// SPDX-License-Identifier: Apache-2.0
// Tensor-core operations on the host, with the fragment layouts of the PTX ISA. Included by host.cuh alone.
//
// Lane l is number l % 4 of group l / 4. The tile forms compute the products of all a[m] with all b[n] in one meeting.
#pragma once

#include "codegen/kernels/base/host.cuh"

namespace llcuda {
namespace host {

/// Four neighbouring lanes hold a row of 16 bytes of a fragment, or of the accumulator 8 numbers: two in each lane.
template <typename Pair, typename Vector>
LLCUDA_DEVICE void addToRow(Pair* const (&lanes)[32], int row, int offset, Vector values) {
  Vector sums;
  for (int i = 0; i < 4; ++i) __builtin_memcpy(reinterpret_cast<char*>(&sums) + 8 * i, lanes[4 * row + i] + offset, 8);
  sums += values;
  LLCUDA_UNROLL
  for (int i = 0; i < 4; ++i) __builtin_memcpy(lanes[4 * row + i] + offset, reinterpret_cast<char*>(&sums) + 8 * i, 8);
}

/// to[k][c] = from[c][k]
template <typename Vector>
LLCUDA_DEVICE void transpose(Vector (&to)[8], const Vector (&from)[8]) {
  LLCUDA_UNROLL
  for (int k = 0; k < 8; ++k) LLCUDA_UNROLL
  for (int c = 0; c < 8; ++c) to[k][c] = from[c][k];
}

template <int M, int N>
struct S8Operands {
  int (&d)[M][N][2];
  const uint32_t (&a)[M];
  const uint32_t (&b)[N];
};

template <int M, int N>
void multiplyS8(S8Operands<M, N>* const* lanes) {
  int* d[32];
  alignas(32) uint32_t a[M][32], b[N][32];
  for (int l = 0; l < 32; ++l) {
    d[l] = &lanes[l]->d[0][0][0];
    for (int m = 0; m < M; ++m) a[m][l] = lanes[l]->a[m];
    for (int n = 0; n < N; ++n) b[n][l] = lanes[l]->b[n];
  }
  S32x8 pairs[N][8]; // [p]: elements 2p and 2p + 1, as 16 bits, of each of the 8 columns
  for (int n = 0; n < N; ++n) {
    S32x8 columns[8];
    for (int c = 0; c < 8; ++c) columns[c] = (S32x8)widen(load<S8x16>(&b[n][4 * c]));
    transpose(pairs[n], columns);
  }
  for (int m = 0; m < M; ++m)
    for (int row = 0; row < 8; ++row) {
      const auto codes = (S32x8)widen(load<S8x16>(&a[m][4 * row]));
      S32x8 sums[N] = {};
      LLCUDA_UNROLL
      for (int p = 0; p < 8; ++p) LLCUDA_UNROLL
      for (int n = 0; n < N; ++n)
        sums[n] += (S32x8)__builtin_ia32_pmaddwd256((S16x16)(S32x8{} + codes[p]), (S16x16)pairs[n][p]);
      LLCUDA_UNROLL
      for (int n = 0; n < N; ++n) addToRow(d, row, (m * N + n) * 2, sums[n]);
    }
}

template <int M, int N>
struct F16Operands {
  float (*d)[N][4];
  const uint32_t (*a)[2];
  const uint32_t* b;
};

/// The 8 halves that four neighbouring lanes hold.
LLCUDA_DEVICE F32x8 halvesAt(const uint32_t* words) {
  return (F32x8)__builtin_ia32_vcvtph2ps256(load<S16x8>(words));
}

/// m16n8k8: lane l holds elements 2 * (l % 4) and + 1 of row l / 4 (a[0]), row l / 4 + 8 (a[1]) and column l / 4 (b).
template <int M, int N>
void multiplyF16(F16Operands<M, N>* const* lanes) {
  float* d[32];
  alignas(32) uint32_t a[M][2][32], b[N][32];
  for (int l = 0; l < 32; ++l) {
    d[l] = &lanes[l]->d[0][0][0];
    for (int m = 0; m < M; ++m)
      for (int half = 0; half < 2; ++half) a[m][half][l] = lanes[l]->a[m][half];
    for (int n = 0; n < N; ++n) b[n][l] = lanes[l]->b[n];
  }
  F32x8 byK[N][8]; // [k]: of each of the 8 columns
  for (int n = 0; n < N; ++n) {
    F32x8 columns[8];
    for (int c = 0; c < 8; ++c) columns[c] = halvesAt(&b[n][4 * c]);
    transpose(byK[n], columns);
  }
  for (int m = 0; m < M; ++m)
    for (int row = 0; row < 16; ++row) {
      const F32x8 elements = halvesAt(&a[m][row / 8][4 * (row % 8)]);
      F32x8 sums[N] = {};
      LLCUDA_UNROLL
      for (int k = 0; k < 8; ++k) LLCUDA_UNROLL
      for (int n = 0; n < N; ++n) sums[n] += elements[k] * byK[n][k];
      LLCUDA_UNROLL
      for (int n = 0; n < N; ++n) addToRow(d, row % 8, (m * N + n) * 4 + row / 8 * 2, sums[n]);
    }
}

template <int K, int N>
struct F16SumOperands {
  float (*d)[N][4];
  const uint32_t (*a)[2];
  const uint32_t (*b)[N];
};

template <int K, int N>
void multiplyF16Sum(F16SumOperands<K, N>* const* lanes) {
  for (int k = 0; k < K; ++k) {
    F16Operands<1, N> product[32], *pointers[32];
    for (int l = 0; l < 32; ++l) {
      product[l] = {lanes[l]->d, lanes[l]->a + k, lanes[l]->b[k]};
      pointers[l] = &product[l];
    }
    multiplyF16<1, N>(pointers);
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
/// d[m][n] = c + a[m] * b[n], c being one value for all.
template <int M, int N>
LLCUDA_DEVICE void mmaF16Tile(float (&d)[M][N][4], float c, const uint32_t (&a)[M][2], const uint32_t (&b)[N]) {
  for (auto& row : d)
    for (auto& tile : row) tile[0] = tile[1] = tile[2] = tile[3] = c;
  mmaF16Tile(d, a, b);
}
/// d[n] += the sum of a[k] * b[k][n] over k.
template <int K, int N>
LLCUDA_DEVICE void mmaF16Sum(float (&d)[1][N][4], const uint32_t (&a)[K][2], const uint32_t (&b)[K][N]) {
  host::F16SumOperands<K, N> mine{d, a, b};
  host::meet("mma f16", mine, host::multiplyF16Sum<K, N>);
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
template <int kBytes = 0>
LLCUDA_DEVICE void ldmatrixX4(uint32_t (&r)[4], const void* row) {
  host::loadMatrices<4, false>(r, static_cast<const uint8_t*>(row) + kBytes);
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

LLCUDA_DEVICE uint32_t transposed(uint32_t pair) {
  host::meet("movmatrix", pair, [](uint32_t* const* lanes) {
    uint16_t elements[8][8];
    for (int l = 0; l < 32; ++l) __builtin_memcpy(&elements[l / 4][l % 4 * 2], lanes[l], 4);
    for (int l = 0; l < 32; ++l)
      *lanes[l] = elements[l % 4 * 2][l / 4] | static_cast<uint32_t>(elements[l % 4 * 2 + 1][l / 4]) << 16;
  });
  return pair;
}

} // namespace llcuda
