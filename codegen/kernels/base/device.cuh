// SPDX-License-Identifier: Apache-2.0
// The words that kernels are written in: base/nvrtc.cuh where NVRTC is the compiler, base/host.cuh where a host
// compiler is. Both have the same names with the same meaning, and no other kernel header asks which one it has, except
// ptx/, whose instructions the host has from host.cuh.
//
//   LLCUDA_ENTRY(threads, minBlocks)      before the name of a kernel's entry
//   LLCUDA_DEVICE LLCUDA_CALLED           before a function: inlined where it is called, or one piece of code
//   LLCUDA_SHARED(Type, name, count);     a shared array, 16-byte aligned, first contents undefined; one for each
//                                         declaration and template instance, whatever the number of calls
//   LLCUDA_DYNAMIC_SHARED(Type, name);    the block's dynamic shared memory as Type*
//   LLCUDA_UNROLL LLCUDA_NO_UNROLL        before a loop of constant count
//   threadIdx blockIdx blockDim gridDim   as in CUDA; blocks have one dimension, whole warps
//   uint2 uint4 int2 int4 float2 float4   and make_uint2 ...
//   Half, Half2 {x, y}                    IEEE f16; ptx/half.cuh computes with them
//   syncThreads syncThreadsOr             every thread of the block calls; so do all 32 lanes with each of
//   syncWarp shuffle shuffleXor shuffleUp shuffleDown ballot
//   warpSum warpMax                       of float or int; of an array element by element; every lane gets the result
//   groupSum<n> groupMax<n>               the same in each group of n neighbouring lanes, n a power of two
//   atomicAddU32 atomicAddU64 atomicMaxU32 atomicMaxU64 threadFence   relaxed, and a fence of the whole device
//   dp4a bitCast<To> funnelShiftRight bytePermute roundToInt maxOf minOf absOf fusedMultiplyAdd
//   ptx/{dot,half,levels,load,math,mma}.cuh   dot products of codes, f16, look-up of bytes, loads, fast functions,
//                                         tensor cores
#pragma once

#if defined(__CUDACC_RTC__)
#include "codegen/kernels/base/nvrtc.cuh"
#else
#include "codegen/kernels/base/host.cuh"
#endif

namespace llcuda {

constexpr int kWarpSize = 32;

LLCUDA_DEVICE int laneId() {
  return static_cast<int>(threadIdx.x) % kWarpSize;
}
LLCUDA_DEVICE int warpId() {
  return static_cast<int>(threadIdx.x) / kWarpSize;
}
LLCUDA_DEVICE constexpr int ceilDivide(int a, int b) {
  return (a + b - 1) / b;
}

} // namespace llcuda
