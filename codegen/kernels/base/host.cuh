// SPDX-License-Identifier: Apache-2.0
// The device vocabulary on the host: what device.cuh includes where NVRTC is not the compiler. Kernels include
// device.cuh.
//
// A thread is a fiber of hostsim. It runs until it meets others: at syncThreads, or at a warp operation, where every
// lane leaves a pointer to its operands and the last one to arrive computes for all 32. So one meeting serves a whole
// reduction. All 32 lanes of a warp must take part, and all threads of a block in syncThreads: hostsim ends the launch
// with an error otherwise. Blocks have one dimension.
#pragma once

#include <sched.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/hostsim_abi.h"

#define LLCUDA_DEVICE inline __attribute__((always_inline))
#define LLCUDA_CALLED inline __attribute__((noinline))
#define LLCUDA_UNROLL _Pragma("GCC unroll 16")
#define LLCUDA_NO_UNROLL _Pragma("GCC unroll 1")
// The entry of a kernel: any C function; hostsim calls it through a body that codegen/host writes beside it.
#define LLCUDA_ENTRY(threads, minBlocks) extern "C" __attribute__((visibility("hidden"))) void
// A static array of the block, 16-byte aligned. The key is one object per declaration and instance of its template.
#define LLCUDA_SHARED(Type, name, count)                                                                               \
  static char name##SharedKey;                                                                                         \
  auto& name = *static_cast<Type(*)[count]>(::llcuda::host::sharedArray(&name##SharedKey, sizeof(Type) * (count)))
#define LLCUDA_DYNAMIC_SHARED(Type, name) Type* name = static_cast<Type*>(::llcudaHostContext->dynamicShared)

#define threadIdx (::llcuda::host::Index{::llcudaHostContext->thread, 0, 0})
#define blockDim (::llcuda::host::Index{::llcudaHostContext->threads, 1, 1})
#define blockIdx (::llcudaHostContext->block)
#define gridDim (::llcudaHostContext->grid)

struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
inline int2 make_int2(int x, int y) {
  return {x, y};
}
inline int4 make_int4(int x, int y, int z, int w) {
  return {x, y, z, w};
}
inline uint2 make_uint2(unsigned x, unsigned y) {
  return {x, y};
}
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) {
  return {x, y, z, w};
}
inline float2 make_float2(float x, float y) {
  return {x, y};
}
inline float4 make_float4(float x, float y, float z, float w) {
  return {x, y, z, w};
}

namespace llcuda {

struct Half {
  uint16_t bits;
};
struct alignas(4) Half2 {
  Half x, y;
};

namespace host {

struct Index {
  uint32_t x, y, z;
};

inline uint32_t lane() {
  return llcudaHostContext->thread % LLCUDA_HOST_WARP_LANES;
}

inline void* sharedArray(const void* key, size_t bytes) {
  return llcudaHostContext->table->sharedArray(llcudaHostContext, key, bytes);
}

/// Meets the other lanes of the warp with `mine`; the last one calls `compute(lanes)`, lanes[l] being lane l's `mine`.
template <typename Operands, typename Compute>
LLCUDA_DEVICE void meet(const char* operation, Operands& mine, Compute compute) {
  LlcudaHostContext* context = llcudaHostContext;
  LlcudaHostWarp& warp = context->warps[context->thread / LLCUDA_HOST_WARP_LANES];
  if (warp.arrived == 0)
    warp.operation = operation;
  else if (warp.operation != operation && __builtin_strcmp(warp.operation, operation) != 0)
    context->table->failMeeting(context, operation);
  warp.lanes[context->thread % LLCUDA_HOST_WARP_LANES] = const_cast<void*>(static_cast<const void*>(&mine));
  if (++warp.arrived < LLCUDA_HOST_WARP_LANES) {
    context->table->waitInWarp(context);
    return;
  }
  compute(reinterpret_cast<Operands* const*>(warp.lanes));
  warp.arrived = 0;
  context->table->releaseWarp(context);
}

template <typename T>
LLCUDA_DEVICE T atomicMax(T* p, T value) {
  T old = __atomic_load_n(p, __ATOMIC_RELAXED);
  while (old < value && !__atomic_compare_exchange_n(p, &old, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}

LLCUDA_DEVICE int roundedToInt(float v) {
  typedef float F32x4 __attribute__((vector_size(16)));
  return __builtin_ia32_cvtss2si(F32x4{v, 0.f, 0.f, 0.f});
}

inline void failUnless(bool good, const char* message) {
  if (!good) [[unlikely]]
    llcudaHostContext->table->fail(llcudaHostContext, message);
}

/// A GPU faults where the processor would read.
template <typename T>
LLCUDA_DEVICE T loadAligned(const T* p) {
  failUnless(__builtin_bit_cast(uintptr_t, p) % sizeof(T) == 0, "a load at an address that is no multiple of its size");
  return *p;
}

} // namespace host

LLCUDA_DEVICE void syncThreads() {
  llcudaHostContext->table->syncThreads(llcudaHostContext, 0);
}
LLCUDA_DEVICE bool syncThreadsOr(bool predicate) {
  return llcudaHostContext->table->syncThreads(llcudaHostContext, predicate) != 0;
}
LLCUDA_DEVICE void threadFence() {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/// Blocks begin in the order of the grid, so those before this one run on other operating system threads, or have run:
/// unless one of them failed the wait is short.
LLCUDA_DEVICE void waitForCount(const uint32_t* word, uint32_t count) {
  constexpr int kMostTurns = 20'000'000;
  int turns = 0;
  while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != count) {
    host::failUnless(++turns < kMostTurns, "the blocks that this one waits for do not come");
    sched_yield();
  }
}

LLCUDA_DEVICE uint32_t atomicAddU32(uint32_t* p, uint32_t value) {
  return __atomic_fetch_add(p, value, __ATOMIC_RELAXED);
}
LLCUDA_DEVICE uint64_t atomicAddU64(uint64_t* p, uint64_t value) {
  return __atomic_fetch_add(p, value, __ATOMIC_RELAXED);
}
LLCUDA_DEVICE uint32_t atomicMaxU32(uint32_t* p, uint32_t value) {
  return host::atomicMax(p, value);
}
LLCUDA_DEVICE uint64_t atomicMaxU64(uint64_t* p, uint64_t value) {
  return host::atomicMax(p, value);
}

template <typename T>
LLCUDA_DEVICE T loadStream(const T* p) {
  return host::loadAligned(p);
}
template <typename T>
LLCUDA_DEVICE T loadReadOnly(const T* p) {
  return host::loadAligned(p);
}
template <typename T>
LLCUDA_DEVICE T loadCoherent(const T* p) {
  return host::loadAligned(p);
}

LLCUDA_DEVICE uint32_t funnelShiftRight(uint32_t lo, uint32_t hi, uint32_t n) {
  return static_cast<uint32_t>((static_cast<uint64_t>(hi) << 32 | lo) >> (n & 31));
}
LLCUDA_DEVICE uint32_t bytePermute(uint32_t a, uint32_t b, uint32_t selector) {
  const uint64_t bytes = static_cast<uint64_t>(b) << 32 | a;
  uint32_t result = 0;
  for (int i = 0; i < 4; ++i)
    result |= static_cast<uint32_t>(bytes >> (8 * (selector >> (4 * i) & 7)) & 0xff) << (8 * i);
  return result;
}
LLCUDA_DEVICE int popcount(uint32_t v) {
  return __builtin_popcount(v);
}
LLCUDA_DEVICE int lowestBit(uint32_t v) {
  return __builtin_ctz(v);
}

template <typename To, typename From>
LLCUDA_DEVICE To bitCast(From value) {
  return __builtin_bit_cast(To, value);
}
LLCUDA_DEVICE uint32_t bitsOf(float v) {
  return __builtin_bit_cast(uint32_t, v);
}
LLCUDA_DEVICE float floatOf(uint32_t v) {
  return __builtin_bit_cast(float, v);
}
// The device saturates and makes a NaN 0.
LLCUDA_DEVICE int roundToInt(float v) {
  return v >= 0x1p31f ? INT32_MAX : v <= -0x1p31f ? INT32_MIN : v == v ? host::roundedToInt(v) : 0;
}
// A NaN loses, as in fmaxf.
LLCUDA_DEVICE float maxOf(float a, float b) {
  return a < b || a != a ? b : a;
}
LLCUDA_DEVICE float minOf(float a, float b) {
  return b < a || a != a ? b : a;
}
LLCUDA_DEVICE float absOf(float a) {
  return __builtin_fabsf(a);
}
LLCUDA_DEVICE int maxOf(int a, int b) {
  return a < b ? b : a;
}
LLCUDA_DEVICE int minOf(int a, int b) {
  return b < a ? b : a;
}
LLCUDA_DEVICE float fusedMultiplyAdd(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}

LLCUDA_DEVICE float exp2Fast(float x) {
  return __builtin_exp2f(x);
}
LLCUDA_DEVICE float expFast(float x) {
  return __builtin_expf(x);
}
LLCUDA_DEVICE float log2Fast(float x) {
  return __builtin_log2f(x);
}
LLCUDA_DEVICE float logFast(float x) {
  return __builtin_logf(x);
}
LLCUDA_DEVICE float tanhFast(float x) {
  return __builtin_tanhf(x);
}
LLCUDA_DEVICE float sinFast(float x) {
  return __builtin_sinf(x);
}
LLCUDA_DEVICE float cosFast(float x) {
  return __builtin_cosf(x);
}
LLCUDA_DEVICE float rsqrtFast(float x) {
  return 1.f / __builtin_sqrtf(x);
}
LLCUDA_DEVICE float reciprocalFast(float x) {
  return 1.f / x;
}
LLCUDA_DEVICE float divideFast(float x, float y) {
  return x / y;
}

/// ptx/thread.cuh
LLCUDA_DEVICE int threadIndexAnew() {
  return static_cast<int>(threadIdx.x);
}

} // namespace llcuda

#include "codegen/kernels/base/host_half.cuh"
#include "codegen/kernels/base/host_mma.cuh"
#include "codegen/kernels/base/host_warp.cuh"
