// SPDX-License-Identifier: Apache-2.0
// How many instructions of one kind a multiprocessor carries out a clock. Each thread turns a loop of kChains
// independent chains of kMachineSteps of them.
//
//   launch    grid: one block a multiprocessor; block (kThreads)
//   turns     [1] of the loop, even
//   numbers   [4] 1.f, 0xffffffff, two halves of -1, 0: the compiler does not know them, so it folds nothing
//   words     [kMachineWords] word w is w * kMachineFactor
//   results   [blocks][kThreads] a number that codegen/reference/machine.h computes anew
//   cycles    [blocks] from the first thread's begin of the loop to the last one's end
#pragma once

#include "codegen/kernels/machine/machine_units.h"
#include "codegen/kernels/ptx/clock.cuh"
#include "codegen/kernels/ptx/dot.cuh"
#include "codegen/kernels/ptx/half.cuh"
#include "codegen/kernels/ptx/load.cuh"
#include "codegen/kernels/ptx/math.cuh"
#include "codegen/kernels/ptx/mma.cuh"

namespace llcuda {

template <MachineUnit kUnit, int kChains>
class UnitChains;

template <int kChains>
class UnitChains<MachineUnit::kTensorInt8, kChains> {
public:
  LLCUDA_DEVICE UnitChains(const uint32_t*, int lane) : row(0x01010101u * (lane / 4 + 1)) {
    LLCUDA_UNROLL
    for (int c = 0; c < kChains; ++c) d[c][0] = d[c][1] = c;
  }
  LLCUDA_DEVICE void step(int c, int, int) { mmaS8M8N8K16(d[c], row, row); }
  LLCUDA_DEVICE uint32_t result() const {
    uint32_t sum = 0;
    LLCUDA_UNROLL
    for (int c = 0; c < kChains; ++c) sum += d[c][0] + 3u * d[c][1];
    return sum;
  }

private:
  uint32_t row;
  int d[kChains][2];
};

template <int kChains>
class UnitChains<MachineUnit::kTensorF16, kChains> {
public:
  LLCUDA_DEVICE UnitChains(const uint32_t*, int lane) {
    const float g = lane / 4;
    a[0] = b = wordOfHalves(g + 1, g + 1);
    a[1] = wordOfHalves(g + 9, g + 9);
    LLCUDA_UNROLL
    for (int c = 0; c < kChains; ++c) d[c][0] = d[c][1] = d[c][2] = d[c][3] = c;
  }
  LLCUDA_DEVICE void step(int c, int, int) { mmaF16M16N8K8(d[c], a, b); }
  LLCUDA_DEVICE uint32_t result() const {
    uint32_t sum = 0;
    LLCUDA_UNROLL
    for (int c = 0; c < kChains; ++c)
      sum += static_cast<uint32_t>(d[c][0]) + 3u * static_cast<uint32_t>(d[c][1]) +
             5u * static_cast<uint32_t>(d[c][2]) + 7u * static_cast<uint32_t>(d[c][3]);
    return sum;
  }

private:
  uint32_t a[2], b;
  float d[kChains][4];
};

/// One number a chain, to which a step does the same again.
template <typename Number, int kChains, typename Step>
class NumberChains {
public:
  LLCUDA_DEVICE NumberChains(int lane, Step with) : with(with) {
    LLCUDA_UNROLL
    for (int c = 0; c < kChains; ++c) x[c] = static_cast<Number>(lane + c);
  }
  LLCUDA_DEVICE void step(int c, int, int) { x[c] = with(x[c]); }
  LLCUDA_DEVICE uint32_t result() const {
    uint32_t sum = 0;
    LLCUDA_UNROLL
    for (int c = 0; c < kChains; ++c) sum += static_cast<uint32_t>(x[c]);
    return sum;
  }

private:
  Step with;
  Number x[kChains];
};

struct FmaStep {
  float one, more;
  LLCUDA_DEVICE float operator()(float x) const { return fusedMultiplyAdd(x, one, more); }
};
template <int kChains>
class UnitChains<MachineUnit::kFma, kChains> : public NumberChains<float, kChains, FmaStep> {
public:
  LLCUDA_DEVICE UnitChains(const uint32_t* numbers, int lane)
      : NumberChains<float, kChains, FmaStep>(lane, {bitCast<float>(numbers[0]), lane + 1.f}) {}
};

struct DotStep {
  int a, b;
  LLCUDA_DEVICE int operator()(int x) const { return dp4a(a, b, x); }
};
template <int kChains>
class UnitChains<MachineUnit::kDot, kChains> : public NumberChains<int, kChains, DotStep> {
public:
  LLCUDA_DEVICE UnitChains(const uint32_t* numbers, int lane)
      : NumberChains<int, kChains, DotStep>(lane,
                                            {0x01010101 * (lane + 1), static_cast<int>(0x02020202u & numbers[1])}) {}
};

/// A logic operation and a rotation in turns, which no instruction does at once.
struct AluStep {
  uint32_t flip;
  LLCUDA_DEVICE uint32_t operator()(uint32_t x) const { return funnelShiftRight(x ^ flip, x ^ flip, 7); }
};
template <int kChains>
class UnitChains<MachineUnit::kAlu, kChains> : public NumberChains<uint32_t, kChains, AluStep> {
public:
  LLCUDA_DEVICE UnitChains(const uint32_t* numbers, int lane)
      : NumberChains<uint32_t, kChains, AluStep>(lane, {0x5a5a5a5au & numbers[1]}) {}
};

/// One over the square root, again and again: 1 from whatever positive number on.
template <int kChains>
class UnitChains<MachineUnit::kSpecial, kChains> {
public:
  LLCUDA_DEVICE UnitChains(const uint32_t* numbers, int lane) {
    LLCUDA_UNROLL
    for (int c = 0; c < kChains; ++c) x[c] = static_cast<float>(1 << (lane + c) % 6) * bitCast<float>(numbers[0]);
  }
  LLCUDA_DEVICE void step(int c, int, int) { x[c] = rsqrtFast(x[c]); }
  LLCUDA_DEVICE uint32_t result() const {
    uint32_t sum = 0;
    LLCUDA_UNROLL
    for (int c = 0; c < kChains; ++c) sum += static_cast<uint32_t>(x[c] + 0.25f); // within a little of 1
    return sum;
  }

private:
  float x[kChains];
};

/// To a number less itself, and back.
template <int kChains>
class UnitChains<MachineUnit::kHalves, kChains> {
public:
  LLCUDA_DEVICE UnitChains(const uint32_t* numbers, int lane)
      : minus(bitCast<Half2>(numbers[2])), from(toHalf2(lane + 1, lane + 2)) {
    LLCUDA_UNROLL
    for (int c = 0; c < kChains; ++c) x[c] = toHalf2(lane + c, c);
  }
  LLCUDA_DEVICE void step(int c, int, int) { x[c] = fmaHalf2(x[c], minus, from); }
  LLCUDA_DEVICE uint32_t result() const {
    uint32_t sum = 0;
    LLCUDA_UNROLL
    for (int c = 0; c < kChains; ++c) {
      const float2 both = toFloat(x[c]);
      sum += static_cast<uint32_t>(both.x) + 3u * static_cast<uint32_t>(both.y);
    }
    return sum;
  }

private:
  Half2 minus, from, x[kChains];
};

/// To the neighbour, and back.
struct ShuffleStep {
  LLCUDA_DEVICE uint32_t operator()(uint32_t x) const { return shuffleXor(x, 1); }
};
template <int kChains>
class UnitChains<MachineUnit::kShuffle, kChains> : public NumberChains<uint32_t, kChains, ShuffleStep> {
public:
  LLCUDA_DEVICE UnitChains(const uint32_t*, int lane) : NumberChains<uint32_t, kChains, ShuffleStep>(lane, {}) {}
};

/// 512 bytes that a warp reads at once, summed.
template <typename Load, int kChains>
class LoadChains {
public:
  LLCUDA_DEVICE LoadChains(const uint32_t* words, int lane) : own(words + lane * 4) {}
  LLCUDA_DEVICE void step(int c, int s, int turn) {
    uint32_t r[4];
    Load()(r, own + turn % kMachineShifts * 128 + (s * kChains + c) * 128);
    LLCUDA_UNROLL
    for (int i = 0; i < 4; ++i) sum[i] += r[i];
  }
  LLCUDA_DEVICE uint32_t result() const { return sum[0] + 3u * sum[1] + 5u * sum[2] + 7u * sum[3]; }

private:
  const uint32_t* own;
  uint32_t sum[4] = {};
};

struct LoadMatrices {
  LLCUDA_DEVICE void operator()(uint32_t (&r)[4], const uint32_t* from) const { ldmatrixX4(r, from); }
};
struct LoadVector {
  LLCUDA_DEVICE void operator()(uint32_t (&r)[4], const uint32_t* from) const {
    const uint4 v = *reinterpret_cast<const uint4*>(from);
    r[0] = v.x, r[1] = v.y, r[2] = v.z, r[3] = v.w;
  }
};
struct LoadCached {
  LLCUDA_DEVICE void operator()(uint32_t (&r)[4], const uint32_t* from) const {
    const uint4 v = loadReadOnly(reinterpret_cast<const uint4*>(from));
    r[0] = v.x, r[1] = v.y, r[2] = v.z, r[3] = v.w;
  }
};
template <int kChains>
class UnitChains<MachineUnit::kMatrices, kChains> : public LoadChains<LoadMatrices, kChains> {
public:
  LLCUDA_DEVICE UnitChains(const uint32_t* words, int lane) : LoadChains<LoadMatrices, kChains>(words, lane) {}
};
template <int kChains>
class UnitChains<MachineUnit::kShared, kChains> : public LoadChains<LoadVector, kChains> {
public:
  LLCUDA_DEVICE UnitChains(const uint32_t* words, int lane) : LoadChains<LoadVector, kChains>(words, lane) {}
};
template <int kChains>
class UnitChains<MachineUnit::kL1, kChains> : public LoadChains<LoadCached, kChains> {
public:
  LLCUDA_DEVICE UnitChains(const uint32_t* words, int lane) : LoadChains<LoadCached, kChains>(words, lane) {}
};

template <MachineUnit kUnit, int kChains, int kThreads>
LLCUDA_DEVICE void unitRate(const uint32_t* turns, const uint32_t* numbers, const uint32_t* words, uint32_t* results,
                            uint64_t* cycles) {
  constexpr bool kFromShared = kUnit == MachineUnit::kMatrices || kUnit == MachineUnit::kShared;
  LLCUDA_SHARED(uint32_t, copies, kFromShared ? kMachineWords : 4);
  if constexpr (kFromShared)
    for (int w = threadIdx.x; w < kMachineWords; w += kThreads) copies[w] = words[w];
  const int count = static_cast<int>(*turns);
  UnitChains<kUnit, kChains> chains(kFromShared                 ? copies
                                    : kUnit == MachineUnit::kL1 ? words
                                                                : numbers,
                                    static_cast<int>(threadIdx.x % 32));
  syncThreads();
  const uint64_t start = clockCycles();
  LLCUDA_NO_UNROLL
  for (int turn = 0; turn < count; ++turn) {
    LLCUDA_UNROLL
    for (int s = 0; s < kMachineSteps; ++s) {
      LLCUDA_UNROLL
      for (int c = 0; c < kChains; ++c) chains.step(c, s, turn);
    }
  }
  const uint32_t result = chains.result();
  syncThreads();
  const uint64_t end = clockCycles();
  results[blockIdx.x * kThreads + threadIdx.x] = result;
  if (threadIdx.x == 0)
    cycles[blockIdx.x] = end - start;
}

} // namespace llcuda
