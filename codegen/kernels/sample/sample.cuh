// SPDX-License-Identifier: Apache-2.0
// A row of logits becomes a token, as its SamplingParams and what its slot has been told say
//
//   launch     grid (kBlocks, outputs), block kSampleThreads; numbers from codegen/spec/sample_spec.cpp
//   logits     f32 [outputs][kVocabulary], 16-byte aligned; a row with a NaN gets no token and becomes nobody's, and so
//              does one of a chain of which every token is forbidden
//   sampling   [outputs]; `step` of a wanted row goes up by one
//   rows       which rows are wanted, of which slots, and where the token goes beside `sampled`
//   slots      what slots have been told (codegen/formats/sampling.h); of rows without a chain nothing is read. Of two
//              rows of a slot in one step neither sees in `history` what the other reads
//   partial    u64 [outputs][kBlocks] and arrivals [outputs], zero between launches
//   sampled    [outputs]; kSampledNothing for a row that nobody wants or that has a NaN, kSampledHeld for one on hold
//   numerics   ties are in the order of ids. Probabilities are integers of 2^-40 of the largest: the same seed and step
//              give the same token on every run
//   sm_75      the blocks of a row adjust its logits, where the chain begins so, and find the largest; the last one to
//              arrive is done if that is the token, else it goes through the chain alone (chain.cuh)
#pragma once

#include "codegen/kernels/block/last_block.cuh"
#include "codegen/kernels/sample/chain.cuh"
#include "codegen/kernels/sample/logit_key.cuh"

namespace llcuda {

/// In a decode phase `tokens` and `positions` are those of the rows and feed themselves; in a prompt phase they are
/// null and outputRows tells which rows are wanted.
struct SampleRows {
  int* tokens;
  int* positions;
  const int* slots; ///< of rows
  const int* outputRows;

  LLCUDA_DEVICE bool wanted(int output) const { return (positions ? positions : outputRows)[output] >= 0; }
  LLCUDA_DEVICE int slot(int output) const { return slots[positions ? output : outputRows[output]]; }
  /// The row goes on with a token, or with none.
  LLCUDA_DEVICE void next(int output, int token) const {
    if (!positions)
      return;
    if (token >= 0)
      tokens[output] = token;
    positions[output] = token >= 0 ? positions[output] + 1 : -1;
  }
};

struct SampleSlots {
  SamplerProgram* samplers;
  int* history;
  const LogitBias* biases;
  const uint32_t* breakers;
  const uint32_t* masks;
};

struct SampleShape {
  int vocabulary;
  int blocks;  ///< that share a row
  int context; ///< positions of a slot's history
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
template <int kVocabulary>
LLCUDA_DEVICE uint64_t largestOfShare(const float* logits, int begin, int end) {
  uint64_t best = 0;
  const auto visit = [&](float logit, int id) {
    const uint64_t key = logitKey(logit, id);
    best = key > best ? key : best;
  };
  if constexpr (kVocabulary % 4 == 0) {
    for (int id = begin + static_cast<int>(threadIdx.x) * 4; id < end; id += kSampleThreads * 4) {
      const float4 v = loadCoherent(reinterpret_cast<const float4*>(logits + id));
      visit(v.x, id), visit(v.y, id + 1), visit(v.z, id + 2), visit(v.w, id + 3);
    }
  } else {
    for (int id = begin + static_cast<int>(threadIdx.x); id < end; id += kSampleThreads)
      visit(loadCoherent(logits + id), id);
  }
  return largestKey(best);
}

template <SampleShape kShape>
LLCUDA_DEVICE SamplerRow rowOf(const SampleSlots& slots, int slot, int newest, int position) {
  constexpr long long kVocabulary = kShape.vocabulary;
  const uint32_t* const mask = slots.masks + slot * static_cast<long long>(maskWords(kVocabulary));
  const int* const history = slots.history + slot * static_cast<long long>(kShape.context);
  return {slots.samplers + slot,
          slots.biases + slot * static_cast<long long>(kLogitBiases),
          slots.breakers + slot * static_cast<long long>(dryBreakerWords(kVocabulary)),
          mask[0] != 0 ? mask + 1 : nullptr,
          history,
          newest >= 0 ? newest : history[position],
          position};
}

/// The token of a row with a chain, by its largest adjusted logit. All threads of one block call.
template <int kVocabulary>
LLCUDA_DEVICE int chooseByChain(const SamplerRow& row, const SamplingParams& params, uint64_t best, const float* logits,
                                float* adjusted, CandidateMemory& memory, SamplingReport& report) {
  int token = idOfKey(best);
  const float highest = loadCoherent(logits + token);
  if (highest < -3e38f)
    return kSampledNothing;
  if (highest > 3e38f || row.program->takesBest != 0) {
    if (threadIdx.x == 0)
      report = {{row.program->state[0], row.program->state[1]}, 1.f, 1, {{token, 1.f}}};
    return token;
  }
  Chain<kVocabulary> chain(row, params, logits, highest, adjusted, memory);
  chain.run();
  chain.finish(report);
  return chain.token;
}

template <SampleShape kShape>
LLCUDA_DEVICE void sample(const float* logits, SamplingParams* sampling, SampleRows rows, SampleSlots slots,
                          float* adjusted, SamplingReport* reports, uint64_t* partial, uint32_t* arrivals,
                          int* sampled) {
  constexpr int kVocabulary = kShape.vocabulary, kBlocks = kShape.blocks;
  constexpr int kEach = ceilDivide(ceilDivide(kVocabulary, kBlocks), 4) * 4;
  static_assert(kEach <= kAdjusted, "logits of a block");
  LLCUDA_SHARED(CandidateMemory, memory, 1);
  const int output = static_cast<int>(blockIdx.y);
  const bool wanted = rows.wanted(output);
  if (!wanted || sampling[output].hold != 0) {
    if (blockIdx.x == 0 && threadIdx.x == 0)
      sampled[output] = wanted ? kSampledHeld : kSampledNothing;
    return;
  }
  const long long start = static_cast<long long>(output) * kVocabulary;
  const float* row = logits + start;
  const int begin = minOf(static_cast<int>(blockIdx.x) * kEach, kVocabulary), end = minOf(begin + kEach, kVocabulary);
  const bool hasChain = sampling[output].chain != 0;
  const SamplingParams params = sampling[output];
  SamplerRow of = {};
  if (hasChain) {
    of = rowOf<kShape>(slots, rows.slot(output), rows.tokens ? rows.tokens[output] : -1, static_cast<int>(params.step));
    if (isAdjusted(of)) {
      adjustShare<kVocabulary>(of, row, adjusted + start, begin, end, memory[0]);
      row = adjusted + start;
    }
  }
  const uint64_t own = largestOfShare<kVocabulary>(row, begin, end);
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
  int token = kSampledNothing;
  if (isNumber(best))
    token = hasChain ? chooseByChain<kVocabulary>(of, params, best, row, adjusted + start, memory[0], reports[output])
                     : idOfKey(best);
  if (threadIdx.x == 0) {
    if (hasChain && of.program->usesPast != 0 && rows.tokens)
      slots.history[rows.slot(output) * static_cast<long long>(kShape.context) + of.position] = of.newest;
    sampled[output] = token;
    sampling[output].step = params.step + 1;
    rows.next(output, token);
  }
}

} // namespace llcuda
