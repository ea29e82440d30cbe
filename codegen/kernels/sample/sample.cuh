// SPDX-License-Identifier: Apache-2.0
// A row of logits becomes a token, as its SamplingParams say
//
//   launch     grid (kBlocks, outputs), block kSampleThreads; numbers from codegen/spec/sample_spec.cpp
//   logits     f32 [outputs][kVocabulary], 16-byte aligned; a row with a NaN gets no token and becomes nobody's
//   sampling   [outputs]; `step` of a wanted row goes up by one
//   feedback   which rows are wanted, and where the token goes beside `sampled`
//   partial    u64 [outputs][kBlocks] and arrivals [outputs], zero between launches
//   sampled    [outputs]; kSampledNothing for a row that nobody wants or that has a NaN, kSampledHeld for one on hold
//   numerics   order of the chain: top-k, top-p, min-p, temperature, draw. Ties are in the order of ids. Probabilities
//              are integers of 2^-40 of the largest: the same seed and step give the same token on every run
//   sm_75      the blocks of a row find its largest logit; the last one to arrive is done if that is the token, else it
//              chooses alone (candidates.cuh)
#pragma once

#include "codegen/formats/sampling.h"
#include "codegen/kernels/block/last_block.cuh"
#include "codegen/kernels/sample/candidates.cuh"
#include "codegen/kernels/sample/logit_key.cuh"
#include "codegen/kernels/sample/philox.cuh"

namespace llcuda {

/// In a decode phase `tokens` and `positions` are those of the rows and feed themselves; in a prompt phase they are
/// null and outputRows tells which outputs are wanted.
struct SampleFeedback {
  int* tokens;
  int* positions;
  const int* outputRows;

  LLCUDA_DEVICE bool wanted(int output) const { return (positions ? positions : outputRows)[output] >= 0; }
  /// The row goes on with a token, or with none.
  LLCUDA_DEVICE void next(int output, int token) const {
    if (!positions)
      return;
    if (token >= 0)
      tokens[output] = token;
    positions[output] = token >= 0 ? positions[output] + 1 : -1;
  }
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
  return largest[0];
}

/// The largest key among the block's share of a row.
template <int kVocabulary, int kBlocks>
LLCUDA_DEVICE uint64_t largestOfShare(const float* logits) {
  constexpr int kEach = ceilDivide(ceilDivide(kVocabulary, kBlocks), 4) * 4;
  const int begin = static_cast<int>(blockIdx.x) * kEach, end = minOf(begin + kEach, kVocabulary);
  uint64_t best = 0;
  const auto visit = [&](float logit, int id) {
    const uint64_t key = logitKey(logit, id);
    best = key > best ? key : best;
  };
  if constexpr (kVocabulary % 4 == 0) {
    for (int id = begin + static_cast<int>(threadIdx.x) * 4; id < end; id += kSampleThreads * 4) {
      const float4 v = loadReadOnly(reinterpret_cast<const float4*>(logits + id));
      visit(v.x, id), visit(v.y, id + 1), visit(v.z, id + 2), visit(v.w, id + 3);
    }
  } else {
    for (int id = begin + static_cast<int>(threadIdx.x); id < end; id += kSampleThreads)
      visit(loadReadOnly(logits + id), id);
  }
  return largestKey(best);
}

/// The smallest integer that is at least share * total, within 1 ... total.
LLCUDA_DEVICE uint64_t shareOf(uint64_t total, float share) {
  const double exact = static_cast<double>(total) * static_cast<double>(share);
  uint64_t rounded = static_cast<uint64_t>(exact);
  if (static_cast<double>(rounded) < exact)
    ++rounded;
  return rounded < 1 ? 1 : rounded > total ? total : rounded;
}

/// The steps of the chain that look for the candidate at which a sum of weights reaches a goal.
enum class ChainStep { kTopK, kTopP, kDraw };

LLCUDA_DEVICE bool wantsStep(ChainStep step, const SamplingParams& params, int vocabulary) {
  if (step == ChainStep::kTopK)
    return params.topK > 0 && params.topK < static_cast<uint32_t>(vocabulary);
  return step == ChainStep::kDraw || params.topP < 1.f;
}

/// The goal of a step, within 1 ... total.
LLCUDA_DEVICE uint64_t goalOf(ChainStep step, const SamplingParams& params, uint64_t total) {
  if (step == ChainStep::kTopK)
    return params.topK;
  if (step == ChainStep::kTopP)
    return shareOf(total, params.topP);
  return multiplyHigh(philox(params.seed, params.step), total) + 1;
}

/// Filters the candidates as `params` say and draws one. All threads call and get the token.
template <int kVocabulary>
LLCUDA_DEVICE int drawToken(const float* logits, float highest, const SamplingParams& params) {
  LLCUDA_SHARED(CandidateMemory, memory, 1);
  constexpr float kLog2OfE = 1.4426950408889634f;
  Candidates<kVocabulary> candidates{logits, highest, memory[0], ~uint64_t{0}, 0};
  int id = 0;
  LLCUDA_NO_UNROLL
  for (int i = 0; i < 3; ++i) {
    const ChainStep step = static_cast<ChainStep>(i);
    if (!wantsStep(step, params, kVocabulary))
      continue;
    const CandidateWeight weight{step == ChainStep::kTopK,
                                 step == ChainStep::kDraw ? -kLog2OfE / params.temperature : -kLog2OfE};
    if (step == ChainStep::kDraw && params.minP > 0.f) {
      const uint64_t limit = candidates.distanceLimit(-logFast(params.minP));
      candidates.limit = limit < candidates.limit ? limit : candidates.limit;
    }
    const uint64_t reached = candidates.reach(
        weight, [&](uint64_t total) { return goalOf(step, params, total); }, id);
    if (step != ChainStep::kDraw) {
      candidates.limit = reached;
      candidates.list();
    }
  }
  return id;
}

struct SampleShape {
  int vocabulary;
  int blocks; ///< that share a row
};

template <SampleShape kShape>
LLCUDA_DEVICE void sample(const float* logits, SamplingParams* sampling, SampleFeedback feedback, uint64_t* partial,
                          uint32_t* arrivals, int* sampled) {
  constexpr int kVocabulary = kShape.vocabulary, kBlocks = kShape.blocks;
  const int output = static_cast<int>(blockIdx.y);
  const bool wanted = feedback.wanted(output);
  if (!wanted || sampling[output].hold != 0) {
    if (blockIdx.x == 0 && threadIdx.x == 0)
      sampled[output] = wanted ? kSampledHeld : kSampledNothing;
    return;
  }
  const float* const row = logits + static_cast<long long>(output) * kVocabulary;
  const uint64_t own = largestOfShare<kVocabulary, kBlocks>(row);
  uint64_t* const keys = partial + static_cast<long long>(output) * kBlocks;
  if (threadIdx.x == 0)
    keys[blockIdx.x] = own;
  if (!arriveLast(arrivals + output, kBlocks))
    return;
  uint64_t best = 0;
  for (int i = static_cast<int>(threadIdx.x); i < kBlocks; i += kSampleThreads) {
    const uint64_t key = loadCoherent(keys + i);
    best = key > best ? key : best;
  }
  best = largestKey(best);
  const SamplingParams params = sampling[output];
  int token = kSampledNothing;
  if (isNumber(best)) {
    token = idOfKey(best);
    const float highest = row[token];
    if (params.temperature > 0.f && absOf(highest) < 3e38f)
      token = drawToken<kVocabulary>(row, highest, params);
  }
  if (threadIdx.x == 0) {
    sampled[output] = token;
    sampling[output].step = params.step + 1;
    feedback.next(output, token);
  }
}

} // namespace llcuda
