// SPDX-License-Identifier: Apache-2.0
// A row's most likely tokens, found by all of its blocks: each offers a few of its share, and the last block chooses
// among what was offered. For chains that begin with top_k, which else goes through the whole row in one block.
//
//   horizons   u64 [kBlocks], ordered bits: what a block has from there on is offered
//   offers     u64 [kBlocks][offersOfBlock()], logit keys, 0 where there is none
//   numerics   none: the tokens that top_k keeps are the same
#pragma once

#include "codegen/kernels/ptx/load.cuh"
#include "codegen/kernels/sample/adjust.cuh"
#include "codegen/kernels/sample/logit_key.cuh"

namespace llcuda {

constexpr int kEachThread = kAdjusted / kSampleThreads; ///< logits of a block that a thread has
constexpr float kFarthest = 62.f;                       ///< below the most likely one; rank keys are fine up to 64
constexpr float kRankError = 0x1p-17f;                  ///< logits so far apart have rank keys in their order

/// A thread's part of numbers that a block has; minus infinity and no id where there is none.
struct Share {
  float logits[kEachThread];
  int ids[kEachThread];
};

/// The largest of the threads' keys. All threads call.
LLCUDA_DEVICE uint64_t largestKey(uint64_t key) {
  LLCUDA_SHARED(uint64_t, largest, 1);
  if (threadIdx.x == 0)
    largest[0] = 0;
  for (int mask = kWarpSize / 2; mask > 0; mask /= 2) {
    const uint64_t other = shuffleXor(key, mask);
    key = other > key ? other : key;
  }
  syncThreads();
  if (laneId() == 0)
    atomicMaxU64(largest, key);
  syncThreads();
  const uint64_t result = largest[0];
  syncThreads(); // the next call begins at zero
  return result;
}

/// Of top_k, when a program begins with it after what changes logits, and blocks offer enough; else 0.
LLCUDA_DEVICE uint32_t offered(const SamplerProgram& program, int blocks) {
  const uint32_t first = leadingStages(program);
  if (program.takesBest != 0 || first == program.stageCount || program.stages[first].op != SamplerOp::kTopK)
    return 0;
  const uint32_t kept = program.stages[first].n;
  return 4 * uint64_t{kept} <= 3 * static_cast<uint64_t>(offersOfBlock(blocks)) ? kept : 0;
}

/// Logits from `begin` to `end`, at most kAdjusted, 16-byte aligned ones where the vocabulary allows it.
template <int kVocabulary>
LLCUDA_DEVICE Share shareOf(const float* row, int begin, int end) {
  Share share;
  LLCUDA_UNROLL
  for (int i = 0; i < kEachThread; ++i) {
    const int quad = (i / 4 * kSampleThreads + static_cast<int>(threadIdx.x)) * 4 + i % 4;
    const int id = begin + (kVocabulary % 4 == 0 ? quad : i * kSampleThreads + static_cast<int>(threadIdx.x));
    share.ids[i] = id < end ? id : -1;
  }
  if constexpr (kVocabulary % 4 == 0) {
    LLCUDA_UNROLL
    for (int i = 0; i < kEachThread; i += 4) {
      const int id = share.ids[i] >= 0 ? share.ids[i] : kVocabulary - 4;
      const float4 v = loadCoherent(reinterpret_cast<const float4*>(row + id));
      share.logits[i] = v.x, share.logits[i + 1] = v.y, share.logits[i + 2] = v.z, share.logits[i + 3] = v.w;
    }
  } else {
    LLCUDA_UNROLL
    for (int i = 0; i < kEachThread; ++i) share.logits[i] = loadCoherent(row + (share.ids[i] >= 0 ? share.ids[i] : 0));
  }
  LLCUDA_UNROLL
  for (int i = 0; i < kEachThread; ++i)
    if (share.ids[i] < 0)
      share.logits[i] = minusInfinity();
  return share;
}

/// A limit that at least `least` and at most `most` of the numbers reach, `highest` being the largest; where none is
/// found one that fewer do, or minus infinity for `highest`. All threads call.
LLCUDA_CALLED float limitFor(Share share, float highest, uint32_t least, uint32_t most, CandidateMemory& memory) {
  constexpr int kTurns = 14;
  if (threadIdx.x < kTurns)
    memory.counts[threadIdx.x] = 0;
  syncThreads();
  float near = 0.f, far = kFarthest, distance = 4.f;
  LLCUDA_NO_UNROLL
  for (int turn = 0; turn < kTurns; ++turn) {
    int count = 0;
    LLCUDA_UNROLL
    for (int i = 0; i < kEachThread; ++i) count += share.logits[i] >= highest - distance ? 1 : 0;
    count = warpSum(count);
    if (laneId() == 0 && count != 0)
      atomicAddU32(memory.counts + turn, static_cast<uint32_t>(count));
    syncThreads();
    const uint32_t all = memory.counts[turn];
    if (all >= least && all <= most) {
      near = distance;
      break;
    }
    (all < least ? near : far) = distance;
    distance = (near + far) / 2;
  }
  syncThreads();
  return highest - near;
}

/// The block's offers. All threads call.
LLCUDA_CALLED void offer(const Share& share, float highest, uint32_t least, uint32_t most, uint64_t* horizon,
                         uint64_t* offers, CandidateMemory& memory) {
  const bool hasAny = highest > -3e38f && highest < 3e38f;
  const float limit = limitFor(share, highest, least, most, memory);
  if (threadIdx.x == 0)
    memory.listCount = 0;
  syncThreads();
  LLCUDA_UNROLL
  for (int i = 0; i < kEachThread; ++i)
    if (hasAny && share.logits[i] >= limit)
      if (const uint32_t at = atomicAddU32(&memory.listCount, 1); at < most)
        offers[at] = logitKey(share.logits[i], share.ids[i]);
  syncThreads();
  const uint32_t count = memory.listCount;
  for (uint32_t at = count + threadIdx.x; at < most; at += kSampleThreads) offers[at] = 0;
  if (threadIdx.x == 0) // of equal ones there may be too many: then nothing is said of any
    *horizon = orderedBits(count > most ? -minusInfinity() : hasAny ? limit : minusInfinity());
}

/// The list of the candidates of which top_k keeps `least`, or none if not all of them were offered; how many it has.
/// `highest` is the largest logit of the row. All threads of one block call.
template <int kBlocks>
LLCUDA_CALLED uint32_t listOffered(const uint64_t* horizons, const uint64_t* offers, float highest, uint32_t least,
                                   CandidateMemory& memory) {
  uint64_t horizon = 0;
  for (int i = static_cast<int>(threadIdx.x); i < kBlocks; i += kSampleThreads) {
    const uint64_t own = loadCoherent(horizons + i);
    horizon = own > horizon ? own : horizon;
  }
  const float from = floatOfOrdered(static_cast<uint32_t>(largestKey(horizon)));
  Share share;
  LLCUDA_UNROLL
  for (int i = 0; i < kEachThread; ++i) {
    const int at = i * kSampleThreads + static_cast<int>(threadIdx.x);
    const uint64_t key = at < kBlocks * offersOfBlock(kBlocks) ? loadCoherent(offers + at) : 0;
    const bool isOffered = key != 0 && logitOfKey(key) >= from;
    share.ids[i] = isOffered ? idOfKey(key) : -1;
    share.logits[i] = isOffered ? logitOfKey(key) : minusInfinity();
  }
  const float limit = maxOf(limitFor(share, highest, least, kRanked, memory), from);
  if (threadIdx.x == 0)
    memory.listCount = memory.counts[0] = 0;
  syncThreads();
  LLCUDA_UNROLL
  for (int i = 0; i < kEachThread; ++i)
    if (share.ids[i] >= 0 && share.logits[i] >= limit) {
      if (const uint32_t at = atomicAddU32(&memory.listCount, 1); at < kListed)
        memory.listIds[at] = static_cast<uint32_t>(share.ids[i]);
      if (share.logits[i] - limit > kRankError) // whatever was left out comes after it
        atomicAddU32(memory.counts, 1);
    }
  syncThreads();
  const uint32_t count = memory.counts[0] >= least && memory.listCount <= kListed ? memory.listCount : 0;
  syncThreads();
  return count;
}

} // namespace llcuda
