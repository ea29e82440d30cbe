// SPDX-License-Identifier: Apache-2.0
// Tensor core products of several fragments at once: d[m][n] += a[m] b[n] for all m and n, fragments as in ptx/mma.cuh.
// On the host each call is one meeting of the warp.
#pragma once

#include "codegen/kernels/ptx/mma.cuh"

#if defined(LLCUDA_ON_GPU)

namespace llcuda {

template <int M, int N>
LLCUDA_DEVICE void mmaS8Tile(int (&d)[M][N][2], const uint32_t (&a)[M], const uint32_t (&b)[N]) {
  LLCUDA_UNROLL
  for (int m = 0; m < M; ++m) LLCUDA_UNROLL
  for (int n = 0; n < N; ++n) mmaS8M8N8K16(d[m][n], a[m], b[n]);
}

/// d[m][n] = c + a[m] b[n], every element of the accumulator starting at `c`.
template <int M, int N>
LLCUDA_DEVICE void mmaS8Tile(int (&d)[M][N][2], int c, const uint32_t (&a)[M], const uint32_t (&b)[N]) {
  LLCUDA_UNROLL
  for (int m = 0; m < M; ++m) LLCUDA_UNROLL
  for (int n = 0; n < N; ++n)
    asm("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%2}, {%3}, {%4, %4};"
        : "=r"(d[m][n][0]), "=r"(d[m][n][1])
        : "r"(a[m]), "r"(b[n]), "r"(c));
}

template <int M, int N>
LLCUDA_DEVICE void mmaF16Tile(float (&d)[M][N][4], const uint32_t (&a)[M][2], const uint32_t (&b)[N]) {
  LLCUDA_UNROLL
  for (int m = 0; m < M; ++m) LLCUDA_UNROLL
  for (int n = 0; n < N; ++n) mmaF16M16N8K8(d[m][n], a[m], b[n]);
}

} // namespace llcuda

#endif
