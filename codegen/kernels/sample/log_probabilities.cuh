// SPDX-License-Identifier: Apache-2.0
// How likely a token of each row of logits is, and which tokens are the most likely: a TokenScore a row
//
//   launch     grid (kBlocks, outputs), block kScoreThreads; numbers from codegen/spec/log_probabilities_spec.cpp
//   logits     f32 [outputs][kVocabulary], 16-byte aligned
//   tokens     [outputs], below kVocabulary; negative: nobody asks for the row, and only its score's `token` is written
//   partial    ScoreShare [outputs][kBlocks] and arrivals [outputs], zero between launches
//   scores     TokenScore [outputs]
//   numerics   within 1e-5 of codegen/reference/log_softmax.h in double. Sums have a fixed order, and the logits of
//              equal tokens give equal floats, wherever they stand in a score
//   sm_75      a block holds its share in registers, 8 logits a thread; each warp takes out its largest kTopTokens one
//              by one, without barriers, then one warp those of all. The last block of a row to arrive merges
#pragma once

#include "codegen/formats/token_score.h"
#include "codegen/kernels/block/last_block.cuh"
#include "codegen/kernels/block/reduce.cuh"
#include "codegen/kernels/ptx/load.cuh"
#include "codegen/kernels/ptx/math.cuh"
#include "codegen/kernels/sample/logit_key.cuh"

namespace llcuda {

constexpr int kScoreThreads = 512, kScoreWarps = kScoreThreads / kWarpSize;

struct ScoreShape {
  int vocabulary;
  int blocks; ///< that share a row
};

/// The largest of the lanes' keys. All lanes call.
LLCUDA_DEVICE uint64_t warpLargest(uint64_t key) {
  constexpr uint32_t kSign = 0x80000000u; // as signed numbers, halves are in the same order
  const int high = static_cast<int>(static_cast<uint32_t>(key >> 32) ^ kSign), highest = warpMax(high);
  const int low = static_cast<int>(high == highest ? static_cast<uint32_t>(key) ^ kSign : kSign);
  return uint64_t{static_cast<uint32_t>(highest) ^ kSign} << 32 | (static_cast<uint32_t>(warpMax(low)) ^ kSign);
}

/// Writes the warp's largest keys, largest first, 0 behind the last. keyOf(i), i < kEach: the keys of a lane, each once
/// in the warp; 0 is none. All lanes call.
template <int kEach, typename KeyOf>
LLCUDA_DEVICE void warpTop(KeyOf keyOf, uint64_t* top) {
  const auto largestBelow = [&](uint64_t bound) {
    uint64_t best = 0;
    LLCUDA_UNROLL
    for (int i = 0; i < kEach; ++i) {
      const uint64_t key = keyOf(i);
      best = key < bound && key > best ? key : best;
    }
    return best;
  };
  uint64_t own = largestBelow(~uint64_t{0});
  LLCUDA_NO_UNROLL
  for (int rank = 0; rank < kTopTokens; ++rank) {
    const uint64_t best = warpLargest(own);
    if (laneId() == 0)
      top[rank] = best;
    if (own == best && best != 0)
      own = largestBelow(best);
  }
}

/// The same of a block; `top` is written by its first thread. All threads call.
template <int kEach, typename KeyOf>
LLCUDA_DEVICE void blockTop(KeyOf keyOf, uint64_t* top) {
  LLCUDA_SHARED(uint64_t, ofWarps, kScoreWarps * kTopTokens);
  warpTop<kEach>(keyOf, ofWarps + warpId() * kTopTokens);
  syncThreads();
  if (warpId() == 0)
    warpTop<kScoreWarps * kTopTokens / kWarpSize>([&](int i) { return ofWarps[i * kWarpSize + laneId()]; }, top);
  syncThreads();
}

/// What this block says of its share of a row.
template <ScoreShape kShape>
LLCUDA_DEVICE void scoreShare(const float* row, ScoreShare& share) {
  constexpr int kVocabulary = kShape.vocabulary, kWidth = kVocabulary % 4 == 0 ? 4 : 1;
  constexpr int kEach = ceilDivide(ceilDivide(kVocabulary, kShape.blocks), 4) * 4;
  constexpr int kLoads = ceilDivide(kEach, kScoreThreads * kWidth);
  const int begin = static_cast<int>(blockIdx.x) * kEach, end = minOf(begin + kEach, kVocabulary);
  const auto idOf = [&](int i) {
    return begin + (i / kWidth * kScoreThreads + static_cast<int>(threadIdx.x)) * kWidth + i % kWidth;
  };
  float values[kLoads * kWidth];
  LLCUDA_UNROLL
  for (int load = 0; load < kLoads; ++load) {
    const int id = idOf(load * kWidth);
    if constexpr (kWidth == 4) {
      const float4 v = loadReadOnly(reinterpret_cast<const float4*>(row + minOf(id, kVocabulary - 4)));
      values[4 * load] = v.x, values[4 * load + 1] = v.y, values[4 * load + 2] = v.z, values[4 * load + 3] = v.w;
    } else {
      values[load] = loadReadOnly(row + minOf(id, kVocabulary - 1));
    }
  }
  float highest = -3.4e38f, broken = 0.f, sum = 0.f;
  LLCUDA_UNROLL
  for (int i = 0; i < kLoads * kWidth; ++i)
    if (idOf(i) < end) {
      highest = maxOf(highest, values[i]);
      if (!(absOf(values[i]) <= 3.402823466e38f))
        broken = maxOf(broken, static_cast<float>(kVocabulary - idOf(i)));
    }
  highest = blockMax<kScoreThreads>(highest);
  broken = blockMax<kScoreThreads>(broken);
  LLCUDA_UNROLL
  for (int i = 0; i < kLoads * kWidth; ++i)
    if (idOf(i) < end)
      sum += expFast(values[i] - highest);
  sum = blockSum<kScoreThreads>(sum);
  blockTop<kLoads * kWidth>([&](int i) { return idOf(i) < end ? logitKey(values[i], idOf(i)) : 0; }, share.keys);
  if (threadIdx.x == 0)
    share.highest = highest, share.sum = sum, share.broken = broken;
}

/// A row's shares become its score.
template <ScoreShape kShape>
LLCUDA_DEVICE void mergeShares(const float* row, const ScoreShare* shares, int token, TokenScore& score) {
  constexpr int kBlocks = kShape.blocks;
  LLCUDA_SHARED(uint64_t, top, kTopTokens);
  const int thread = static_cast<int>(threadIdx.x);
  float highest = -3.4e38f, broken = 0.f, sum = 0.f;
  for (int b = thread; b < kBlocks; b += kScoreThreads) {
    highest = maxOf(highest, loadCoherent(&shares[b].highest));
    broken = maxOf(broken, loadCoherent(&shares[b].broken));
  }
  highest = blockMax<kScoreThreads>(highest);
  broken = blockMax<kScoreThreads>(broken);
  for (int b = thread; b < kBlocks; b += kScoreThreads)
    sum += loadCoherent(&shares[b].sum) * expFast(loadCoherent(&shares[b].highest) - highest);
  const float logOfSum = logFast(blockSum<kScoreThreads>(sum));
  blockTop<ceilDivide(kBlocks * kTopTokens, kScoreThreads)>(
      [&](int i) {
        const int at = i * kScoreThreads + thread;
        return at < kBlocks * kTopTokens ? loadCoherent(shares[at / kTopTokens].keys + at % kTopTokens) : 0;
      },
      top);
  const auto logProbability = [&](float logit) { return logit - highest - logOfSum; };
  if (thread < kTopTokens) {
    const uint64_t key = top[thread];
    score.topTokens[thread] = key != 0 ? idOfKey(key) : -1;
    score.topLogProbabilities[thread] = key != 0 ? logProbability(logitOfKey(key)) : 0.f;
  }
  if (thread == 0) {
    score.token = token;
    score.broken = broken > 0.f ? kShape.vocabulary - static_cast<int>(broken) : -1;
    score.logProbability = logProbability(row[token]);
    score.logSum = highest + logOfSum;
  }
}

template <ScoreShape kShape>
LLCUDA_DEVICE void logProbabilities(const float* logits, const int* tokens, ScoreShare* partial, uint32_t* arrivals,
                                    TokenScore* scores) {
  const int output = static_cast<int>(blockIdx.y), token = tokens[output];
  if (token < 0) {
    if (blockIdx.x == 0 && threadIdx.x == 0)
      scores[output].token = token;
    return;
  }
  const float* const row = logits + static_cast<long long>(output) * kShape.vocabulary;
  ScoreShare* const shares = partial + static_cast<long long>(output) * kShape.blocks;
  scoreShare<kShape>(row, shares[blockIdx.x]);
  if (arriveLast(arrivals + output, kShape.blocks))
    mergeShares<kShape>(row, shares, token, scores[output]);
}

} // namespace llcuda
