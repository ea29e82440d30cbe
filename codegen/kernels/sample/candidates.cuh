// SPDX-License-Identifier: Apache-2.0
// The candidates of a row of logits in the order of their probability, without sorting them.
//
// Every filter of the chain keeps a prefix of the order (logit descending, then id ascending), so the candidates are
// the logits whose rank key is at most a limit. A rank key is the distance to the largest logit in small units (32
// bits), then the id (22 bits). A prefix of given weight is found digit by digit from histograms, which hold integers:
// the result does not depend on the order in which threads arrive.
#pragma once

#include "codegen/kernels/ptx/load.cuh"
#include "codegen/kernels/ptx/math.cuh"

namespace llcuda {

constexpr int kSampleThreads = 512;
constexpr int kDigitBits = 11;
constexpr int kDigits = 1 << kDigitBits;
constexpr int kIdBits = 22;
constexpr int kListed = 1024; ///< candidates that are kept as a list once they are so few

/// Weights of candidates, in units of 2^-40: of 1, or of exp(-distance * inverseTemperature).
struct CandidateWeight {
  bool counts;
  float exponent; ///< -log2(e) / temperature

  LLCUDA_DEVICE uint64_t operator()(float distance) const {
    if (counts)
      return 1;
    const float weight = exp2Fast(distance * exponent);
    return weight > 0.f ? static_cast<uint64_t>(weight * 1099511627776.f) : 0; // of a NaN, 0
  }
};

/// Shared memory of a block that chooses.
struct CandidateMemory {
  uint64_t weights[kDigits];
  uint32_t counts[kDigits];
  uint32_t ids[kDigits]; ///< one that fell into the digit
  uint32_t listIds[kListed];
  uint64_t warpSums[kSampleThreads / kWarpSize];
  uint64_t below; ///< weight before the digit that was found
  uint32_t digit;
  uint32_t listCount;
};

template <int kVocabulary>
struct Candidates {
  static_assert(kVocabulary <= 1 << kIdBits, "ids of a rank key");
  const float* logits;
  float highest;
  CandidateMemory& memory;
  uint64_t limit;     ///< largest rank key that is kept
  uint32_t listCount; ///< of listIds; 0: the candidates are found among all logits

  /// Grows with the distance: in steps of 2^-25 up to 64, then as the bits of a float do.
  static LLCUDA_DEVICE uint32_t units(float distance) {
    if (distance < 64.f)
      return static_cast<uint32_t>(distance * 33554432.f);
    return distance != distance ? 0xffffffffu : bitCast<uint32_t>(distance) - bitCast<uint32_t>(64.f) + 0x80000000u;
  }
  LLCUDA_DEVICE uint64_t rankKey(float logit, int id) const {
    return uint64_t{units(highest - logit)} << kIdBits | static_cast<uint32_t>(id);
  }
  /// The largest rank key of a distance.
  static LLCUDA_DEVICE uint64_t distanceLimit(float distance) {
    return ((uint64_t{units(distance)} + 1) << kIdBits) - 1;
  }

  /// Calls body(key, distance, id) for this thread's share of the candidates.
  template <typename Body>
  LLCUDA_DEVICE void forEach(Body body) const {
    const auto visit = [&](float logit, int id) {
      const uint64_t key = rankKey(logit, id);
      if (key <= limit)
        body(key, highest - logit, id);
    };
    if (listCount != 0) {
      for (uint32_t i = threadIdx.x; i < listCount; i += kSampleThreads) {
        const int id = static_cast<int>(memory.listIds[i]);
        visit(logits[id], id);
      }
    } else if constexpr (kVocabulary % 4 == 0) {
      constexpr int kLoads = 4; // on their way at once
      LLCUDA_NO_UNROLL
      for (int base = static_cast<int>(threadIdx.x) * 4; base < kVocabulary; base += kSampleThreads * 4 * kLoads) {
        float4 v[kLoads];
        LLCUDA_UNROLL
        for (int i = 0; i < kLoads; ++i) {
          const int id = minOf(base + i * kSampleThreads * 4, kVocabulary - 4);
          v[i] = loadReadOnly(reinterpret_cast<const float4*>(logits + id));
        }
        LLCUDA_UNROLL
        for (int i = 0; i < kLoads; ++i)
          if (const int id = base + i * kSampleThreads * 4; id < kVocabulary)
            visit(v[i].x, id), visit(v[i].y, id + 1), visit(v[i].z, id + 2), visit(v[i].w, id + 3);
      }
    } else {
      for (int id = static_cast<int>(threadIdx.x); id < kVocabulary; id += kSampleThreads) visit(logits[id], id);
    }
  }

  /// Fills the histogram of the digit that lies `shift` bits up, of the candidates whose higher digits are `prefix`.
  LLCUDA_DEVICE void count(uint64_t prefix, int shift, int bits, const CandidateWeight& weight) const {
    for (int i = static_cast<int>(threadIdx.x); i < kDigits; i += kSampleThreads) {
      memory.weights[i] = 0;
      memory.counts[i] = 0;
    }
    syncThreads();
    forEach([&](uint64_t key, float distance, int id) {
      if (key >> (shift + bits) != prefix)
        return;
      const uint64_t w = weight(distance);
      if (w == 0)
        return;
      const uint32_t digit = static_cast<uint32_t>(key >> shift) & ((1u << bits) - 1);
      if (!weight.counts)
        atomicAddU64(memory.weights + digit, w);
      atomicAddU32(memory.counts + digit, 1);
      memory.ids[digit] = static_cast<uint32_t>(id);
    });
    syncThreads();
  }

  LLCUDA_DEVICE uint64_t digitWeight(int digit, bool counts) const {
    return counts ? memory.counts[digit] : memory.weights[digit];
  }

  /// The thread's four digits, summed, and the sum of all threads before it; `total` is that of all. All threads call.
  LLCUDA_DEVICE uint64_t scanDigits(bool counts, uint64_t& own, uint64_t& total) const {
    constexpr int kEach = kDigits / kSampleThreads;
    own = 0;
    for (int i = 0; i < kEach; ++i) own += digitWeight(static_cast<int>(threadIdx.x) * kEach + i, counts);
    uint64_t inclusive = own;
    for (int step = 1; step < kWarpSize; step *= 2) {
      const uint64_t other = shuffleUp(inclusive, step);
      if (laneId() >= step)
        inclusive += other;
    }
    if (laneId() == kWarpSize - 1)
      memory.warpSums[warpId()] = inclusive;
    syncThreads();
    uint64_t before = 0;
    total = 0;
    for (int w = 0; w < kSampleThreads / kWarpSize; ++w) {
      if (w == warpId())
        before = total;
      total += memory.warpSums[w];
    }
    return before + inclusive - own;
  }

  /// Finds the candidate at which the weights of all candidates so far reach `target(total)`, which is in 1 ... total.
  /// Returns a rank key that keeps it and all before it; `id` becomes the candidate's when it is the only one of its
  /// last digit, as it always is for weights that do not count. All threads call.
  template <typename Target>
  LLCUDA_DEVICE uint64_t reach(const CandidateWeight& weight, Target target, int& id) const {
    constexpr int kShifts[] = {43, 32, 22, 11, 0};
    constexpr int kBits[] = {11, 11, 10, 11, 11};
    uint64_t prefix = 0, goal = 0;
    LLCUDA_NO_UNROLL
    for (int level = 0; level < 5; ++level) {
      count(prefix, kShifts[level], kBits[level], weight);
      uint64_t own, total;
      uint64_t sum = scanDigits(weight.counts, own, total);
      if (level == 0)
        goal = target(total);
      if (sum < goal && goal <= sum + own) {
        int digit = static_cast<int>(threadIdx.x) * (kDigits / kSampleThreads);
        while (sum + digitWeight(digit, weight.counts) < goal) sum += digitWeight(digit++, weight.counts);
        memory.digit = static_cast<uint32_t>(digit);
        memory.below = sum;
      }
      syncThreads();
      const uint32_t digit = memory.digit;
      goal -= memory.below;
      prefix = prefix << kBits[level] | digit;
      const uint32_t members = memory.counts[digit];
      id = static_cast<int>(memory.ids[digit]);
      syncThreads();
      if (members == 1 || (weight.counts && goal == members))
        return ((prefix + 1) << kShifts[level]) - 1;
    }
    return prefix;
  }

  /// Makes a list of the candidates if they are few. All threads call.
  LLCUDA_DEVICE void list() {
    if (listCount != 0)
      return;
    if (threadIdx.x == 0)
      memory.listCount = 0;
    syncThreads();
    forEach([&](uint64_t, float, int id) {
      const uint32_t at = atomicAddU32(&memory.listCount, 1);
      if (at < kListed)
        memory.listIds[at] = static_cast<uint32_t>(id);
    });
    syncThreads();
    listCount = memory.listCount <= kListed ? memory.listCount : 0;
  }
};

} // namespace llcuda
