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
//   partial    u64 [outputs][samplePartials(kBlocks)]: of each block the largest key, then its horizon, then its
//              offers; arrivals [outputs], zero between launches
//   sampled    [outputs]; kSampledNothing for a row that nobody wants or that has a NaN, kSampledHeld for one on hold
//   numerics   ties are in the order of ids. Probabilities are integers of 2^-40 of the largest: the same seed and step
//              give the same token on every run
//   sm_75      the blocks of a row adjust its logits, where the chain begins so, and find the largest and what top_k
//              may keep (offers.cuh); the last one to arrive is done if the largest is the token, else it goes through
//              the chain alone (chain.cuh)
#pragma once

#include "codegen/kernels/block/last_block.cuh"
#include "codegen/kernels/sample/chain.cuh"
#include "codegen/kernels/sample/offers.cuh"

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

/// The largest key among the block's share of a row.
LLCUDA_DEVICE uint64_t largestOf(const Share& share) {
  uint64_t best = 0;
  LLCUDA_UNROLL
  for (int i = 0; i < kEachThread; ++i) {
    const uint64_t key = logitKey(share.logits[i], share.ids[i]);
    best = share.ids[i] >= 0 && key > best ? key : best;
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
LLCUDA_DEVICE int chooseByChain(const ChainInput& input, uint64_t best, const float* logits, uint32_t listCount,
                                CandidateMemory& memory, SamplingReport& report) {
  int token = idOfKey(best);
  const float highest = loadCoherent(logits + token);
  if (highest < -3e38f)
    return kSampledNothing;
  const SamplerProgram& program = *input.row.program;
  if (highest > 3e38f || program.takesBest != 0) {
    if (threadIdx.x == 0)
      report = {{program.state[0], program.state[1]}, 1.f, 1, {{token, 1.f}}};
    return token;
  }
  LLCUDA_SHARED(Candidates<kVocabulary>, set, 1);
  if (threadIdx.x == 0)
    set[0] = Candidates<kVocabulary>::all(logits, highest, listCount, &memory);
  syncThreads();
  Chain<kVocabulary> chain{input, set[0]};
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
  LLCUDA_SHARED(ChainInput, input, 1);
  const SamplerRow& of = input[0].row;
  uint32_t kept = 0; // by a top_k at the front of the chain
  if (hasChain) {
    if (threadIdx.x == 0) {
      const SamplingParams params = sampling[output];
      input[0] = {rowOf<kShape>(slots, rows.slot(output), rows.tokens ? rows.tokens[output] : -1,
                                static_cast<int>(params.step)),
                  params, adjusted + start};
    }
    syncThreads();
    if (isAdjusted(of)) {
      adjustShare<kVocabulary>(of, row, adjusted + start, begin, end, memory[0]);
      row = adjusted + start;
    }
    kept = offered(*of.program, kBlocks);
  }
  constexpr int kOffers = offersOfBlock(kBlocks);
  uint64_t* const keys = partial + static_cast<long long>(output) * samplePartials(kBlocks);
  uint64_t* const horizons = keys + kBlocks;
  uint64_t* const offers = horizons + kBlocks;
  const Share share = shareOf<kVocabulary>(row, begin, end);
  const uint64_t own = largestOf(share);
  if (threadIdx.x == 0)
    keys[blockIdx.x] = own;
  if (kept != 0)
    offer(share, logitOfKey(own), kept, kOffers, horizons + blockIdx.x, offers + blockIdx.x * kOffers, memory[0]);
  if (!arriveLast(arrivals + output, kBlocks))
    return;
  uint64_t best = 0;
  for (int i = static_cast<int>(threadIdx.x); i < kBlocks; i += kSampleThreads) {
    const uint64_t key = loadCoherent(keys + i);
    best = key > best ? key : best;
  }
  best = largestKey(best);
  int token = kSampledNothing;
  if (isNumber(best) && hasChain) {
    const uint32_t listed = kept == 0 ? 0 : listOffered<kBlocks>(horizons, offers, logitOfKey(best), kept, memory[0]);
    token = chooseByChain<kVocabulary>(input[0], best, row, listed, memory[0], reports[output]);
  } else if (isNumber(best)) {
    token = idOfKey(best);
  }
  if (threadIdx.x == 0) {
    if (hasChain && of.program->usesPast != 0 && rows.tokens)
      slots.history[rows.slot(output) * static_cast<long long>(kShape.context) + of.position] = of.newest;
    sampled[output] = token;
    ++sampling[output].step;
    rows.next(output, token);
  }
}

} // namespace llcuda
