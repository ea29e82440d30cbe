// SPDX-License-Identifier: Apache-2.0
// The candidates of a row of logits in the order of their probability, without sorting them.
//
// The order is (logit descending, then id ascending); a rank key is the distance to the largest logit in small units
// (32 bits), then the id (22 bits). What a stage of the chain leaves is the logits whose rank keys lie between two
// limits and, after typical_p, whose deviation keys are at most a third: the distance of -ln p to the entropy, then the
// id. A prefix of given weight of either order is found digit by digit from histograms. These and all sums of weights
// hold integers: the result does not depend on the order in which threads arrive.
#pragma once

#include "codegen/kernels/ptx/load.cuh"
#include "codegen/kernels/ptx/math.cuh"

namespace llcuda {

constexpr int kSampleThreads = 512;
constexpr int kDigitBits = 11;
constexpr int kDigits = 1 << kDigitBits;
constexpr int kIdBits = 22;
constexpr int kListed = 1024; ///< candidates that are kept as a list once they are so few
constexpr float kLog2OfE = 1.4426950408889634f;

/// Shared memory of a block that chooses.
struct CandidateMemory {
  uint64_t weights[kDigits];
  uint32_t counts[kDigits];
  uint32_t ids[kDigits]; ///< one that fell into the digit
  uint32_t listIds[kListed];
  uint64_t warpSums[kSampleThreads / kWarpSize];
  uint64_t sums[4];
  uint64_t below; ///< weight before the digit that was found
  uint32_t digit;
  uint32_t listCount;
};

/// Grows with a distance: in steps of 2^-25 up to 64, then as the bits of a float do.
LLCUDA_DEVICE uint32_t distanceUnits(float distance) {
  if (distance < 64.f)
    return static_cast<uint32_t>(distance * 33554432.f);
  return distance != distance ? 0xffffffffu : bitCast<uint32_t>(distance) - bitCast<uint32_t>(64.f) + 0x80000000u;
}
LLCUDA_DEVICE uint64_t distanceKey(float distance, int id) {
  return uint64_t{distanceUnits(distance)} << kIdBits | static_cast<uint32_t>(id);
}
/// The largest key of a distance.
LLCUDA_DEVICE uint64_t distanceLimit(float distance) {
  return ((uint64_t{distanceUnits(distance)} + 1) << kIdBits) - 1;
}

/// The bits of numbers in the order of their values; and back. Both zeros have places of their own.
LLCUDA_DEVICE uint32_t orderedBits(float value) {
  const uint32_t bits = bitCast<uint32_t>(value);
  return bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
}
LLCUDA_DEVICE float floatOfOrdered(uint32_t ordered) {
  return bitCast<float>(ordered >> 31 != 0 ? ordered & 0x7fffffffu : ~ordered);
}

/// 2^-40 of 1, as a whole number of them.
LLCUDA_DEVICE uint64_t weightUnits(float weight) {
  return weight > 0.f ? static_cast<uint64_t>(weight * 1099511627776.f) : 0; // of a NaN, 0
}

/// adaptive_p: what takes the place of probabilities, by how far they are from a goal.
struct AdaptiveWeights {
  bool isOn;
  float perWeight; ///< probability of a candidate of weight 1
  float goal;
  float least; ///< of penalties(): that of the likeliest draw

  LLCUDA_DEVICE float penalty(float weight) const {
    const float far = absOf(weight * perWeight - goal) * (1.f / 0.3f);
    return divideFast(10.f * far * far, 1.f + far);
  }
};

template <int kVocabulary>
struct Candidates {
  static_assert(kVocabulary <= 1 << kIdBits, "ids of a key");
  const float* logits;
  float highest; ///< where distances are counted from
  CandidateMemory& memory;
  float scale = 1.f;            ///< 1 / temperature: logits count so many times
  float nearest = 0.f;          ///< distance of the most likely candidate, which has the weight 1
  uint64_t first = 0;           ///< smallest rank key that is kept
  uint64_t last = ~uint64_t{0}; ///< the largest
  bool isTypical = false;       ///< deviations count, as two numbers make them of a distance
  float deviationScale = 0.f, deviationOffset = 0.f;
  uint64_t typicalLast = 0;
  bool isRewritten = false; ///< logits of minus infinity are no candidates
  uint32_t gone = 0;        ///< candidates that top_n_sigma left without a probability, and that count as candidates
  uint32_t listCount = 0;   ///< of listIds; 0: the candidates are found among all logits
  AdaptiveWeights adaptive = {false, 0.f, 0.f, 0.f};

  LLCUDA_DEVICE uint64_t deviationKey(float distance, int id) const {
    return distanceKey(absOf(distance * deviationScale + deviationOffset), id);
  }
  LLCUDA_DEVICE bool has(float distance, int id) const {
    const uint64_t key = distanceKey(distance, id);
    if (key < first || key > last || (isRewritten && !(distance < 3e38f)))
      return false;
    return !isTypical || deviationKey(distance, id) <= typicalLast;
  }
  /// Nats by which a candidate is less likely than the most likely one.
  LLCUDA_DEVICE float nats(float distance) const { return (distance - nearest) * scale; }
  LLCUDA_DEVICE float plainWeight(float distance) const { return exp2Fast(nats(distance) * -kLog2OfE); }
  LLCUDA_DEVICE uint64_t weight(float distance) const {
    float weight = plainWeight(distance);
    if (adaptive.isOn && weight > 0.f)
      weight = exp2Fast((adaptive.least - adaptive.penalty(weight)) * kLog2OfE);
    return weightUnits(weight);
  }

  /// Calls body(distance, id) for this thread's share of all logits, of which `kLoads` times 4 are on their way at
  /// once.
  template <typename Body>
  LLCUDA_DEVICE void forAll(Body body) const {
    if constexpr (kVocabulary % 4 == 0) {
      constexpr int kLoads = 2; // on their way at once
      LLCUDA_NO_UNROLL
      for (int base = static_cast<int>(threadIdx.x) * 4; base < kVocabulary; base += kSampleThreads * 4 * kLoads) {
        float4 v[kLoads];
        LLCUDA_UNROLL
        for (int i = 0; i < kLoads; ++i) {
          const int id = minOf(base + i * kSampleThreads * 4, kVocabulary - 4);
          v[i] = loadCoherent(reinterpret_cast<const float4*>(logits + id));
        }
        LLCUDA_UNROLL
        for (int i = 0; i < kLoads; ++i)
          if (const int id = base + i * kSampleThreads * 4; id < kVocabulary) {
            body(highest - v[i].x, id);
            body(highest - v[i].y, id + 1);
            body(highest - v[i].z, id + 2);
            body(highest - v[i].w, id + 3);
          }
      }
    } else {
      for (int id = static_cast<int>(threadIdx.x); id < kVocabulary; id += kSampleThreads)
        body(highest - loadCoherent(logits + id), id);
    }
  }

  /// Calls body(distance, id) for this thread's share of the candidates.
  template <typename Body>
  LLCUDA_DEVICE void forEach(Body body) const {
    const auto visit = [&](float distance, int id) {
      if (has(distance, id))
        body(distance, id);
    };
    if (listCount == 0) {
      forAll(visit);
      return;
    }
    LLCUDA_NO_UNROLL
    for (uint32_t i = threadIdx.x; i < listCount; i += kSampleThreads) {
      const int id = static_cast<int>(memory.listIds[i]);
      visit(highest - loadCoherent(logits + id), id);
    }
  }

  /// What a scan asks of each candidate.
  enum class Scan {
    kTotals,    ///< sum: candidates; second: weights; third: weights times nats
    kNearest,   ///< largest: the complement of a distance's bits
    kBest,      ///< largest: the complement of a rank key
    kList,      ///< makes the list
    kReaching,  ///< of weights of at least `value`: sum: candidates; largest: rank key
    kPenalty,   ///< largest: the complement of the bits of an adaptive penalty
    kWeights,   ///< sum: weights
    kNextKey,   ///< largest: weight and id, below `value`
    kHighest,   ///< largest: ordered bits of a logit
    kDistances, ///< sum: those that are numbers; the threads' sums of them stand in `weights`, as doubles
    kSquares,   ///< the same of squares of how far they are from `number`
    kRewrite,   ///< all logits: writes to `adjusted` what is left, with its temperature
  };
  struct Sums {
    uint64_t sum, largest, second, third;
  };

  /// One pass over the candidates; the block's sums. All threads call.
  template <Scan kWhat>
  LLCUDA_DEVICE Sums scan(uint64_t value = 0, float number = 0.f, float* adjusted = nullptr) const;
  LLCUDA_DEVICE Sums ofBlock(Sums own) const;
  template <Scan kWhat>
  LLCUDA_DEVICE void visit(uint64_t value, float number, float* adjusted, float distance, int id, Sums& own,
                           float& real, float& excess) const;

  LLCUDA_DEVICE Sums totals() const { return scan<Scan::kTotals>(); }
  /// The most likely candidate's weight becomes 1. All threads call.
  LLCUDA_DEVICE void findNearest() {
    const uint64_t best = scan<Scan::kNearest>().largest;
    nearest = best == 0 ? 0.f : bitCast<float>(~static_cast<uint32_t>(best));
  }
  /// Leaves the most likely candidate alone. All threads call.
  LLCUDA_DEVICE void keepBest() { last = ~scan<Scan::kBest>().largest; }

  /// What a search adds up, and in which order.
  struct Order {
    bool byDeviation;
    bool counts;
  };
  LLCUDA_DEVICE uint64_t keyOf(const Order& order, float distance, int id) const {
    return order.byDeviation ? deviationKey(distance, id) : distanceKey(distance, id);
  }

  /// Fills the histogram of the digit that lies `shift` bits up, of the candidates whose higher digits are `prefix`.
  LLCUDA_DEVICE void count(const Order& order, uint64_t prefix, int shift, int bits) const {
    for (int i = static_cast<int>(threadIdx.x); i < kDigits; i += kSampleThreads) {
      memory.weights[i] = 0;
      memory.counts[i] = 0;
    }
    syncThreads();
    forEach([&](float distance, int id) {
      const uint64_t key = keyOf(order, distance, id);
      if (key >> (shift + bits) != prefix)
        return;
      const uint64_t w = order.counts ? 1 : weight(distance);
      if (w == 0)
        return;
      const uint32_t digit = static_cast<uint32_t>(key >> shift) & ((1u << bits) - 1);
      if (!order.counts)
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

  /// Finds the candidate at which what all candidates so far add up to reaches `target(total)`, which is in 1 ...
  /// total. Returns a key that keeps it and all before it; `id` becomes the candidate's when it is the only one of its
  /// last digit, as it always is for weights that do not count. All threads call.
  template <typename Target>
  LLCUDA_DEVICE uint64_t reach(const Order& order, Target target, int& id) const {
    constexpr int kShifts[] = {43, 32, 22, 11, 0};
    constexpr int kBits[] = {11, 11, 10, 11, 11};
    uint64_t prefix = 0, goal = 0;
    LLCUDA_NO_UNROLL
    for (int level = 0; level < 5; ++level) {
      count(order, prefix, kShifts[level], kBits[level]);
      uint64_t own, total;
      uint64_t sum = scanDigits(order.counts, own, total);
      if (level == 0)
        goal = target(total);
      if (sum < goal && goal <= sum + own) {
        int digit = static_cast<int>(threadIdx.x) * (kDigits / kSampleThreads);
        while (sum + digitWeight(digit, order.counts) < goal) sum += digitWeight(digit++, order.counts);
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
      if (members == 1 || (order.counts && goal == members))
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
    scan<Scan::kList>();
    listCount = memory.listCount <= kListed ? memory.listCount : 0;
  }
};

template <int kVocabulary>
LLCUDA_DEVICE auto Candidates<kVocabulary>::ofBlock(Sums own) const -> Sums {
  if (threadIdx.x < 4)
    memory.sums[threadIdx.x] = 0;
  syncThreads();
  LLCUDA_NO_UNROLL
  for (int mask = kWarpSize / 2; mask > 0; mask /= 2) {
    own.sum += shuffleXor(own.sum, mask);
    own.second += shuffleXor(own.second, mask);
    own.third += shuffleXor(own.third, mask);
    const uint64_t other = shuffleXor(own.largest, mask);
    own.largest = other > own.largest ? other : own.largest;
  }
  if (laneId() == 0) {
    atomicAddU64(memory.sums, own.sum);
    atomicMaxU64(memory.sums + 1, own.largest);
    atomicAddU64(memory.sums + 2, own.second);
    atomicAddU64(memory.sums + 3, own.third);
  }
  syncThreads();
  own = {memory.sums[0], memory.sums[1], memory.sums[2], memory.sums[3]};
  syncThreads();
  return own;
}

/// `real` and what rounding added too much to it are a thread's sum of numbers.
template <int kVocabulary>
template <typename Candidates<kVocabulary>::Scan kWhat>
LLCUDA_DEVICE void Candidates<kVocabulary>::visit(uint64_t value, float number, float* adjusted, float distance, int id,
                                                  Sums& own, float& real, float& excess) const {
  const bool isLeft = has(distance, id);
  if constexpr (kWhat == Scan::kRewrite) {
    adjusted[id] = isLeft ? (highest - distance) * scale : bitCast<float>(0xff800000u);
    return;
  }
  if (!isLeft)
    return;
  uint64_t key = 0;
  switch (kWhat) {
  case Scan::kTotals: {
    const float w = plainWeight(distance);
    own.sum += 1;
    own.second += weightUnits(w);
    if (w > 0.f)
      own.third += weightUnits(w * nats(distance));
    return;
  }
  case Scan::kNearest:
    key = ~bitCast<uint32_t>(distance);
    break;
  case Scan::kBest:
    key = ~distanceKey(distance, id);
    break;
  case Scan::kList:
    if (const uint32_t at = atomicAddU32(&memory.listCount, 1); at < kListed)
      memory.listIds[at] = static_cast<uint32_t>(id);
    return;
  case Scan::kReaching:
    if (weight(distance) < value)
      return;
    own.sum += 1;
    key = distanceKey(distance, id);
    break;
  case Scan::kPenalty: {
    const float w = plainWeight(distance);
    key = w > 0.f ? ~bitCast<uint32_t>(adaptive.penalty(w)) : 0;
    break;
  }
  case Scan::kWeights:
    own.sum += weight(distance);
    return;
  case Scan::kNextKey:
    key = weight(distance) << kIdBits | static_cast<uint32_t>((1 << kIdBits) - 1 - id);
    key = key < value ? key : 0;
    break;
  case Scan::kHighest:
    key = orderedBits(highest - distance);
    break;
  default: {
    if (!(distance < 3e38f))
      return;
    const float far = distance - number;
    const float corrected = (kWhat == Scan::kSquares ? far * far : distance) - excess, next = real + corrected;
    excess = (next - real) - corrected;
    real = next;
    own.sum += 1;
    return;
  }
  }
  own.largest = key > own.largest ? key : own.largest;
}

template <int kVocabulary>
template <typename Candidates<kVocabulary>::Scan kWhat>
LLCUDA_DEVICE auto Candidates<kVocabulary>::scan(uint64_t value, float number, float* adjusted) const -> Sums {
  Sums own = {0, 0, 0, 0};
  float real = 0.f, excess = 0.f;
  const auto body = [&](float distance, int id) {
    visit<kWhat>(value, number, adjusted, distance, id, own, real, excess);
  };
  // Sums of numbers depend on their order, which is that of the ids and not that of the list.
  constexpr bool kInOrder = kWhat >= Scan::kDistances;
  if (kInOrder || listCount == 0) {
    if constexpr (kWhat == Scan::kList && kVocabulary % 4 == 0) {
      forAll(body);
    } else {
      LLCUDA_NO_UNROLL
      for (int id = static_cast<int>(threadIdx.x); id < kVocabulary; id += kSampleThreads)
        body(highest - loadCoherent(logits + id), id);
    }
  } else {
    LLCUDA_NO_UNROLL
    for (uint32_t i = threadIdx.x; i < listCount; i += kSampleThreads) {
      const int id = static_cast<int>(memory.listIds[i]);
      body(highest - loadCoherent(logits + id), id);
    }
  }
  if constexpr (kInOrder)
    reinterpret_cast<double*>(memory.weights)[threadIdx.x] = static_cast<double>(real);
  return ofBlock(own);
}

} // namespace llcuda
