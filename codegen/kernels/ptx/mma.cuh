// SPDX-License-Identifier: Apache-2.0
// Tensor core products of SM 7.5 and the shared memory loads that feed them. With g = lane / 4 and t = lane % 4:
//
//   mmaS8M8N8K16   d[8][8] += a[8][16] b[16][8], signed bytes: a holds a[g][4t ... 4t+3], b holds b[4t ... 4t+3][g],
//                  d[i] is d[g][2t + i]
//   mmaF16M16N8K8  d[16][8] += a[16][8] b[8][8]: a[0] holds a[g][2t, 2t+1], a[1] holds a[g + 8][2t, 2t+1], b holds
//                  b[2t, 2t+1][g]; d[0], d[1] are d[g][2t, 2t+1], d[2], d[3] are d[g + 8][2t, 2t+1]
//   mmaS8Tile      d[m][n] += a[m] b[n] for all m and n: one meeting of the warp on the host; with a number c after d,
//                  d[m][n] = c + a[m] b[n], every element of the accumulator starting at c
//   mmaF16Tile     the same
//   mmaF16Sum      d[0][n] += a[k] b[k][n] for all k, one after another, and n
//   ldmatrixX<n>   n matrices of 8 x 8 elements of 16 bits: lane 8m + i gives the address of row i of matrix m, 16-byte
//                  aligned; r[m] gets elements 2t, 2t+1 of row g; Trans: of the transposed matrix. X4<kBytes>: from
//                  kBytes on, a constant that takes no register
//   transposed     of a matrix of 8 x 8 elements of 16 bits, whose elements 2t, 2t+1 of row g a lane holds: of column g
#pragma once

#include "codegen/kernels/base/device.cuh"

#if defined(__CUDACC_RTC__)

namespace llcuda {

LLCUDA_DEVICE void mmaS8M8N8K16(int (&d)[2], uint32_t a, uint32_t b) {
  asm("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};"
      : "+r"(d[0]), "+r"(d[1])
      : "r"(a), "r"(b));
}
LLCUDA_DEVICE void mmaF16M16N8K8(float (&d)[4], const uint32_t (&a)[2], uint32_t b) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(b));
}
template <int M, int N>
LLCUDA_DEVICE void mmaS8Tile(int (&d)[M][N][2], const uint32_t (&a)[M], const uint32_t (&b)[N]) {
  LLCUDA_UNROLL
  for (int m = 0; m < M; ++m) {
    LLCUDA_UNROLL
    for (int n = 0; n < N; ++n) mmaS8M8N8K16(d[m][n], a[m], b[n]);
  }
}
template <int M, int N>
LLCUDA_DEVICE void mmaS8Tile(int (&d)[M][N][2], int c, const uint32_t (&a)[M], const uint32_t (&b)[N]) {
  LLCUDA_UNROLL
  for (int m = 0; m < M; ++m) {
    LLCUDA_UNROLL
    for (int n = 0; n < N; ++n)
      asm("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%2}, {%3}, {%4, %4};"
          : "=r"(d[m][n][0]), "=r"(d[m][n][1])
          : "r"(a[m]), "r"(b[n]), "r"(c));
  }
}
template <int M, int N>
LLCUDA_DEVICE void mmaF16Tile(float (&d)[M][N][4], const uint32_t (&a)[M][2], const uint32_t (&b)[N]) {
  LLCUDA_UNROLL
  for (int m = 0; m < M; ++m) {
    LLCUDA_UNROLL
    for (int n = 0; n < N; ++n) mmaF16M16N8K8(d[m][n], a[m], b[n]);
  }
}
template <int M, int N>
LLCUDA_DEVICE void mmaF16Tile(float (&d)[M][N][4], float c, const uint32_t (&a)[M][2], const uint32_t (&b)[N]) {
  LLCUDA_UNROLL
  for (int m = 0; m < M; ++m) {
    LLCUDA_UNROLL
    for (int n = 0; n < N; ++n)
      asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%7, %7, %7, %7};"
          : "=f"(d[m][n][0]), "=f"(d[m][n][1]), "=f"(d[m][n][2]), "=f"(d[m][n][3])
          : "r"(a[m][0]), "r"(a[m][1]), "r"(b[n]), "f"(c));
  }
}
template <int K, int N>
LLCUDA_DEVICE void mmaF16Sum(float (&d)[1][N][4], const uint32_t (&a)[K][2], const uint32_t (&b)[K][N]) {
  LLCUDA_UNROLL
  for (int k = 0; k < K; ++k) {
    LLCUDA_UNROLL
    for (int n = 0; n < N; ++n) mmaF16M16N8K8(d[0][n], a[k], b[k][n]);
  }
}

LLCUDA_DEVICE uint32_t sharedAddress(const void* p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

LLCUDA_DEVICE void ldmatrixX1(uint32_t (&r)[1], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];"
               : "=r"(r[0])
               : "r"(sharedAddress(row))
               : "memory");
}
LLCUDA_DEVICE void ldmatrixX2(uint32_t (&r)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(sharedAddress(row))
               : "memory");
}
template <int kBytes = 0>
LLCUDA_DEVICE void ldmatrixX4(uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4 + %5];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(sharedAddress(row)), "n"(kBytes)
               : "memory");
}
LLCUDA_DEVICE void ldmatrixX1Trans(uint32_t (&r)[1], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];"
               : "=r"(r[0])
               : "r"(sharedAddress(row))
               : "memory");
}
LLCUDA_DEVICE void ldmatrixX2Trans(uint32_t (&r)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(sharedAddress(row))
               : "memory");
}
LLCUDA_DEVICE void ldmatrixX4Trans(uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(sharedAddress(row))
               : "memory");
}

LLCUDA_DEVICE uint32_t transposed(uint32_t pair) {
  uint32_t r;
  asm("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(r) : "r"(pair));
  return r;
}

} // namespace llcuda

#endif
