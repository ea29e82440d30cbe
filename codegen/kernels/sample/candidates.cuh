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
#include "codegen/kernels/sample/philox.cuh"

namespace llcuda {

constexpr int kSampleThreads = 512;
constexpr int kDigitBits = 11;
constexpr int kDigits = 1 << kDigitBits;
constexpr int kIdBits = 22;
constexpr int kListed = 1024; ///< candidates that are kept as a list once they are so few
constexpr int kRanked = 128;  ///< of a list, each compared with each instead of counted by digits
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
  uint32_t savedList; ///< of mirostat 1, as is savedLast
  uint64_t savedLast;
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

/// The smallest integer that is at least share * total, within 1 ... total.
LLCUDA_DEVICE uint64_t shareOf(uint64_t total, float share) {
  const double exact = static_cast<double>(total) * static_cast<double>(share);
  uint64_t rounded = static_cast<uint64_t>(exact);
  if (static_cast<double>(rounded) < exact)
    ++rounded;
  return rounded < 1 ? 1 : rounded > total ? total : rounded;
}

/// What a search stops at, of what all candidates add up to; within 1 ... that.
struct Goal {
  enum Kind {
    kNumber,  ///< candidates
    kReaches, ///< a share
    kExceeds, ///< a share
    kDrawn,   ///< 64 uniform bits
  } kind;
  uint64_t number;
  float share;

  LLCUDA_DEVICE uint64_t of(uint64_t total) const { return numberOf(*this, total); }
  static LLCUDA_CALLED uint64_t numberOf(Goal goal, uint64_t total) {
    if (goal.kind == kReaches)
      return shareOf(total, goal.share);
    if (goal.kind == kDrawn)
      return multiplyHigh(goal.number, total) + 1;
    const uint64_t wanted =
        goal.kind == kNumber ? goal.number
                             : static_cast<uint64_t>(static_cast<double>(total) * static_cast<double>(goal.share)) + 1;
    return wanted < 1 ? 1 : wanted < total ? wanted : total;
  }
};

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

/// Which candidates are left, and how likely they are: of the block, in shared memory->
template <int kVocabulary>
struct Candidates {
  static_assert(kVocabulary <= 1 << kIdBits, "ids of a key");
  const float* logits;
  CandidateMemory* memory;
  float highest;    ///< where distances are counted from
  float scale;      ///< 1 / temperature: logits count so many times
  float nearest;    ///< distance of the most likely candidate, which has the weight 1
  uint64_t first;   ///< smallest rank key that is kept
  uint64_t last;    ///< the largest
  bool isTypical;   ///< deviations count, as two numbers make them of a distance
  bool isRewritten; ///< logits of minus infinity are no candidates
  float deviationScale, deviationOffset;
  uint64_t typicalLast;
  uint32_t gone;      ///< candidates that top_n_sigma left without a probability, and that count as candidates
  uint32_t listCount; ///< of listIds; 0: the candidates are found among all logits
  AdaptiveWeights adaptive;

  /// All logits of a row, or the list of them that was made before.
  static LLCUDA_DEVICE Candidates all(const float* logits, float highest, uint32_t listCount, CandidateMemory* memory) {
    Candidates set = {};
    set.logits = logits;
    set.memory = memory;
    set.highest = highest;
    set.scale = 1.f;
    set.last = ~uint64_t{0};
    set.listCount = listCount;
    return set;
  }
  /// One thread changes what is of the block; all know it afterwards. All threads call.
  template <typename Change>
  LLCUDA_DEVICE void change(Change makeChange) {
    syncThreads();
    if (threadIdx.x == 0)
      makeChange();
    syncThreads();
  }

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

  /// Calls body(distance, id) for this thread's share of the list, or without one, and if `all` is set, of all logits:
  /// ids rise. kLoads of them are on their way at once.
  template <int kLoads, typename Body>
  LLCUDA_DEVICE void forEachOf(bool all, Body body) const {
    const bool isList = listCount != 0 && !all;
    const int count = isList ? static_cast<int>(listCount) : kVocabulary;
    LLCUDA_NO_UNROLL
    for (int base = static_cast<int>(threadIdx.x); base < count; base += kSampleThreads * kLoads) {
      int ids[kLoads];
      float values[kLoads];
      LLCUDA_UNROLL
      for (int i = 0; i < kLoads; ++i) {
        const int at = minOf(base + i * kSampleThreads, count - 1);
        ids[i] = isList ? static_cast<int>(memory->listIds[at]) : at;
        values[i] = loadCoherent(logits + ids[i]);
      }
      LLCUDA_UNROLL
      for (int i = 0; i < kLoads; ++i)
        if (base + i * kSampleThreads < count)
          body(highest - values[i], ids[i]);
    }
  }

  /// Calls body(distance, id) for this thread's share of the candidates.
  template <int kLoads, typename Body>
  LLCUDA_DEVICE void forEach(Body body) const {
    forEachOf<kLoads>(false, [&](float distance, int id) {
      if (has(distance, id))
        body(distance, id);
    });
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
  LLCUDA_DEVICE Sums scan(Scan what, uint64_t value = 0, float number = 0.f, float* adjusted = nullptr) const {
    return scanOf(*this, what, value, number, adjusted);
  }
  /// One piece of code for all that is asked: stages ask in a dozen places.
  static LLCUDA_CALLED Sums scanOf(const Candidates& given, Scan what, uint64_t value, float number, float* adjusted) {
    const Candidates set = given; // in registers
    Sums own = {0, 0, 0, 0};
    float real = 0.f, excess = 0.f;
    // Sums of numbers depend on their order, which is that of the ids and not that of the list.
    const bool isInOrder = what >= Scan::kDistances;
    set.template forEachOf<4>(isInOrder, [&](float distance, int id) {
      set.visit(what, value, number, adjusted, distance, id, own, real, excess);
    });
    if (isInOrder)
      reinterpret_cast<double*>(set.memory->weights)[threadIdx.x] = static_cast<double>(real);
    return set.ofBlock(own);
  }
  LLCUDA_DEVICE Sums ofBlock(Sums own) const;
  LLCUDA_DEVICE void visit(Scan what, uint64_t value, float number, float* adjusted, float distance, int id, Sums& own,
                           float& real, float& excess) const;

  LLCUDA_DEVICE Sums totals() const { return scan(Scan::kTotals); }
  /// The most likely candidate's weight becomes 1. All threads call.
  LLCUDA_DEVICE void findNearest() {
    const uint64_t best = scan(Scan::kNearest).largest;
    change([&] { nearest = best == 0 ? 0.f : bitCast<float>(~static_cast<uint32_t>(best)); });
  }
  /// Leaves the most likely candidate alone. All threads call.
  LLCUDA_DEVICE void keepBest() { keepUpTo(~scan(Scan::kBest).largest); }
  /// Leaves those up to a rank key. All threads call.
  LLCUDA_DEVICE void keepUpTo(uint64_t limit) {
    change([&] { last = limit < last ? limit : last; });
  }

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
      memory->weights[i] = 0;
      memory->counts[i] = 0;
    }
    syncThreads();
    forEach<8>([&](float distance, int id) {
      const uint64_t key = keyOf(order, distance, id);
      if (key >> (shift + bits) != prefix)
        return;
      const uint64_t w = order.counts ? 1 : weight(distance);
      if (w == 0)
        return;
      const uint32_t digit = static_cast<uint32_t>(key >> shift) & ((1u << bits) - 1);
      if (!order.counts)
        atomicAddU64(memory->weights + digit, w);
      atomicAddU32(memory->counts + digit, 1);
      memory->ids[digit] = static_cast<uint32_t>(id);
    });
    syncThreads();
  }

  LLCUDA_DEVICE uint64_t digitWeight(int digit, bool counts) const {
    return counts ? memory->counts[digit] : memory->weights[digit];
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
      memory->warpSums[warpId()] = inclusive;
    syncThreads();
    uint64_t before = 0;
    total = 0;
    for (int w = 0; w < kSampleThreads / kWarpSize; ++w) {
      if (w == warpId())
        before = total;
      total += memory->warpSums[w];
    }
    return before + inclusive - own;
  }

  /// Finds the candidate at which what all candidates so far add up to reaches `goal` of `total`. Returns a key that
  /// keeps it and all before it; `id` becomes the candidate's when it is the only one of its last digit, as it always
  /// is for weights that do not count. All threads call.
  LLCUDA_DEVICE uint64_t reach(const Order& order, const Goal& goal, uint64_t& total, int& id) const {
    const Reached reached = reachOf(*this, order, goal);
    total = reached.total;
    id = reached.id;
    return reached.key;
  }
  struct Reached {
    uint64_t key, total;
    int id;
  };
  static LLCUDA_CALLED Reached reachOf(const Candidates& given, Order order, Goal goal) {
    const Candidates set = given; // in registers
    return set.listCount != 0 && set.listCount <= kRanked ? set.reachRanked(order, goal) : set.reachDigits(order, goal);
  }

  /// In a list of at most kRanked: each is compared with each.
  LLCUDA_DEVICE Reached reachRanked(const Order& order, const Goal& goal) const {
    uint64_t *const keys = memory->weights, *const weights = memory->weights + kRanked;
    const uint32_t at = threadIdx.x < listCount ? threadIdx.x : 0;
    const int id = static_cast<int>(memory->listIds[at]);
    const float distance = highest - loadCoherent(logits + id);
    const uint64_t key = keyOf(order, distance, id);
    const uint64_t own = !has(distance, id) ? 0 : order.counts ? 1 : weight(distance);
    if (threadIdx.x < listCount)
      keys[at] = key, weights[at] = own;
    syncThreads();
    Reached reached = {0, 0, 0};
    uint64_t sum = 0;
    LLCUDA_NO_UNROLL
    for (uint32_t i = 0; i < listCount; ++i) {
      const uint64_t other = weights[i];
      reached.total += other;
      sum += keys[i] <= key ? other : 0;
    }
    const uint64_t wanted = goal.of(reached.total);
    if (threadIdx.x < listCount && sum >= wanted && sum - own < wanted) {
      memory->below = key;
      memory->digit = static_cast<uint32_t>(id);
    }
    syncThreads();
    reached.key = memory->below;
    reached.id = static_cast<int>(memory->digit);
    syncThreads();
    return reached;
  }

  /// Digit by digit, from histograms.
  LLCUDA_DEVICE Reached reachDigits(const Order& order, const Goal& goal) const {
    constexpr int kShifts[] = {43, 32, 22, 11, 0};
    constexpr int kBits[] = {11, 11, 10, 11, 11};
    Reached reached = {0, 0, 0};
    uint64_t prefix = 0, wanted = 0;
    LLCUDA_NO_UNROLL
    for (int level = 0; level < 5; ++level) {
      count(order, prefix, kShifts[level], kBits[level]);
      uint64_t own, total;
      uint64_t sum = scanDigits(order.counts, own, total);
      if (level == 0) {
        reached.total = total;
        wanted = goal.of(total);
      }
      if (sum < wanted && wanted <= sum + own) {
        int digit = static_cast<int>(threadIdx.x) * (kDigits / kSampleThreads);
        while (sum + digitWeight(digit, order.counts) < wanted) sum += digitWeight(digit++, order.counts);
        memory->digit = static_cast<uint32_t>(digit);
        memory->below = sum;
      }
      syncThreads();
      const uint32_t digit = memory->digit;
      wanted -= memory->below;
      prefix = prefix << kBits[level] | digit;
      const uint32_t members = memory->counts[digit];
      reached.id = static_cast<int>(memory->ids[digit]);
      syncThreads();
      reached.key = ((prefix + 1) << kShifts[level]) - 1;
      if (members == 1 || (order.counts && wanted == members))
        break;
    }
    return reached;
  }

  /// Makes a list of the candidates if they are few. All threads call.
  LLCUDA_DEVICE void list() {
    if (listCount != 0)
      return;
    if (threadIdx.x == 0)
      memory->listCount = 0;
    syncThreads();
    scan(Scan::kList);
    change([&] { listCount = memory->listCount <= kListed ? memory->listCount : 0; });
  }
};

template <int kVocabulary>
LLCUDA_DEVICE auto Candidates<kVocabulary>::ofBlock(Sums own) const -> Sums {
  if (threadIdx.x < 4)
    memory->sums[threadIdx.x] = 0;
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
    atomicAddU64(memory->sums, own.sum);
    atomicMaxU64(memory->sums + 1, own.largest);
    atomicAddU64(memory->sums + 2, own.second);
    atomicAddU64(memory->sums + 3, own.third);
  }
  syncThreads();
  own = {memory->sums[0], memory->sums[1], memory->sums[2], memory->sums[3]};
  syncThreads();
  return own;
}

/// `real` and what rounding added too much to it are a thread's sum of numbers.
template <int kVocabulary>
LLCUDA_DEVICE void Candidates<kVocabulary>::visit(Scan what, uint64_t value, float number, float* adjusted,
                                                  float distance, int id, Sums& own, float& real, float& excess) const {
  const bool isLeft = has(distance, id);
  if (what == Scan::kRewrite) {
    adjusted[id] = isLeft ? (highest - distance) * scale : bitCast<float>(0xff800000u);
    return;
  }
  if (!isLeft)
    return;
  uint64_t key = 0;
  switch (what) {
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
    if (const uint32_t at = atomicAddU32(&memory->listCount, 1); at < kListed)
      memory->listIds[at] = static_cast<uint32_t>(id);
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
    const float corrected = (what == Scan::kSquares ? far * far : distance) - excess, next = real + corrected;
    excess = (next - real) - corrected;
    real = next;
    own.sum += 1;
    return;
  }
  }
  own.largest = key > own.largest ? key : own.largest;
}

} // namespace llcuda
