// SPDX-License-Identifier: Apache-2.0
// The words of device.cuh on a GPU. Included by device.cuh alone.
#pragma once

using int8_t = signed char;
using uint8_t = unsigned char;
using int16_t = short;
using uint16_t = unsigned short;
using int32_t = int;
using uint32_t = unsigned int;
using int64_t = long long;
using uint64_t = unsigned long long;

#define LLCUDA_DEVICE __device__ __forceinline__
#define LLCUDA_CALLED __device__ __noinline__
#define LLCUDA_ENTRY(threads, minBlocks) extern "C" __global__ void __launch_bounds__(threads, minBlocks)
#define LLCUDA_SHARED(Type, name, count) __shared__ __align__(16) Type name[count]
#define LLCUDA_DYNAMIC_SHARED(Type, name)                                                                              \
  extern __shared__ uint4 llcudaDynamicShared[];                                                                       \
  Type* const name = reinterpret_cast<Type*>(llcudaDynamicShared)
#define LLCUDA_UNROLL _Pragma("unroll")
#define LLCUDA_NO_UNROLL _Pragma("unroll 1")

namespace llcuda {

struct Half {
  uint16_t bits;
};
struct alignas(4) Half2 {
  Half x, y;
};

LLCUDA_DEVICE void syncThreads() {
  __syncthreads();
}
/// A barrier that tells every thread whether any brought true.
LLCUDA_DEVICE bool syncThreadsOr(bool predicate) {
  return __syncthreads_or(predicate) != 0;
}
LLCUDA_DEVICE void syncWarp() {
  __syncwarp();
}

template <typename T>
LLCUDA_DEVICE T shuffle(T value, int lane) {
  return __shfl_sync(0xffffffffu, value, lane);
}
template <typename T>
LLCUDA_DEVICE T shuffleXor(T value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}
template <typename T>
LLCUDA_DEVICE T shuffleUp(T value, int count) {
  return __shfl_up_sync(0xffffffffu, value, count);
}
template <typename T>
LLCUDA_DEVICE T shuffleDown(T value, int count) {
  return __shfl_down_sync(0xffffffffu, value, count);
}
LLCUDA_DEVICE uint32_t ballot(bool predicate) {
  return __ballot_sync(0xffffffffu, predicate);
}

LLCUDA_DEVICE uint32_t atomicAddU32(uint32_t* target, uint32_t value) {
  return atomicAdd(target, value);
}
LLCUDA_DEVICE uint64_t atomicAddU64(uint64_t* target, uint64_t value) {
  return atomicAdd(target, value);
}
LLCUDA_DEVICE uint32_t atomicMaxU32(uint32_t* target, uint32_t value) {
  return atomicMax(target, value);
}
LLCUDA_DEVICE uint64_t atomicMaxU64(uint64_t* target, uint64_t value) {
  return atomicMax(target, value);
}
LLCUDA_DEVICE void threadFence() {
  __threadfence();
}

template <typename To, typename From>
LLCUDA_DEVICE To bitCast(From value) {
  static_assert(sizeof(To) == sizeof(From), "the same bits");
  To to;
  memcpy(&to, &value, sizeof to);
  return to;
}
/// c plus the sum of the four products of signed bytes.
LLCUDA_DEVICE int dp4a(int a, int b, int c) {
  return __dp4a(a, b, c);
}
/// Bits n ... n + 31 of high:low, n < 32.
LLCUDA_DEVICE uint32_t funnelShiftRight(uint32_t low, uint32_t high, uint32_t n) {
  return __funnelshift_r(low, high, n);
}
/// Byte i of the result is byte (selector >> 4 i) & 7 of b:a.
LLCUDA_DEVICE uint32_t bytePermute(uint32_t a, uint32_t b, uint32_t selector) {
  return __byte_perm(a, b, selector);
}
/// The nearest integer, ties to even.
LLCUDA_DEVICE int roundToInt(float v) {
  return __float2int_rn(v);
}
LLCUDA_DEVICE float maxOf(float a, float b) {
  return fmaxf(a, b);
}
LLCUDA_DEVICE float minOf(float a, float b) {
  return fminf(a, b);
}
LLCUDA_DEVICE int maxOf(int a, int b) {
  return max(a, b);
}
LLCUDA_DEVICE int minOf(int a, int b) {
  return min(a, b);
}
LLCUDA_DEVICE float absOf(float a) {
  return fabsf(a);
}
/// a * b + c, rounded once.
LLCUDA_DEVICE float fusedMultiplyAdd(float a, float b, float c) {
  return fmaf(a, b, c);
}

template <int kLanes, typename T>
LLCUDA_DEVICE T groupSum(T value) {
  LLCUDA_UNROLL
  for (int mask = kLanes / 2; mask > 0; mask /= 2) value += shuffleXor(value, mask);
  return value;
}
template <int kLanes, typename T>
LLCUDA_DEVICE T groupMax(T value) {
  LLCUDA_UNROLL
  for (int mask = kLanes / 2; mask > 0; mask /= 2) value = maxOf(value, shuffleXor(value, mask));
  return value;
}
template <int kLanes, typename T, int kCount>
LLCUDA_DEVICE void groupSum(T (&values)[kCount]) {
  LLCUDA_UNROLL
  for (int i = 0; i < kCount; ++i) values[i] = groupSum<kLanes>(values[i]);
}
template <int kLanes, typename T, int kCount>
LLCUDA_DEVICE void groupMax(T (&values)[kCount]) {
  LLCUDA_UNROLL
  for (int i = 0; i < kCount; ++i) values[i] = groupMax<kLanes>(values[i]);
}
template <typename T>
LLCUDA_DEVICE T warpSum(T value) {
  return groupSum<32>(value);
}
template <typename T>
LLCUDA_DEVICE T warpMax(T value) {
  return groupMax<32>(value);
}
template <typename T, int kCount>
LLCUDA_DEVICE void warpSum(T (&values)[kCount]) {
  LLCUDA_UNROLL
  for (int i = 0; i < kCount; ++i) values[i] = groupSum<32>(values[i]);
}
template <typename T, int kCount>
LLCUDA_DEVICE void warpMax(T (&values)[kCount]) {
  LLCUDA_UNROLL
  for (int i = 0; i < kCount; ++i) values[i] = groupMax<32>(values[i]);
}

} // namespace llcuda
