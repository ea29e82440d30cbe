// SPDX-License-Identifier: Apache-2.0
// Stages that change logits: bias and mask of a slot, penalties, dry
//
//   past       how often a token came, or how long a repetition it would go on with, is counted in shared memory for
//              kAdjusted neighbouring tokens at a time, in whole numbers: threads may arrive in any order
//   numerics   f32, as llama.cpp has it
#pragma once

#include "codegen/formats/sampling.h"
#include "codegen/kernels/ptx/load.cuh"
#include "codegen/kernels/ptx/math.cuh"
#include "codegen/kernels/sample/candidates.cuh"

namespace llcuda {

constexpr int kAdjusted = 4096; ///< tokens that are changed together
static_assert(kAdjusted * sizeof(uint32_t) <= sizeof(CandidateMemory::weights));

LLCUDA_DEVICE float minusInfinity() {
  return bitCast<float>(0xff800000u);
}

/// What a row's slot has been told, and where the row stands.
struct SamplerRow {
  SamplerProgram* program; ///< its states go on
  const LogitBias* biases;
  const uint32_t* breakers;
  const uint32_t* mask; ///< null: every token is allowed
  const int* history;   ///< of the slot, by position
  int newest;           ///< the token that the row reads
  int position;         ///< of that

  /// The token `back` before the newest, which is 0.
  LLCUDA_DEVICE int token(int back) const { return back == 0 ? newest : history[position - back]; }
  /// How many of the last `most` tokens there are.
  LLCUDA_DEVICE int past(uint32_t most) const {
    const uint32_t all = static_cast<uint32_t>(position) + 1;
    return static_cast<int>(most < all ? most : all);
  }
};

LLCUDA_DEVICE bool hasBit(const uint32_t* bits, int token) {
  return (bits[token / 32] >> (token % 32) & 1) != 0;
}

/// `times` stands for kAdjusted tokens from `begin` on. All threads call.
LLCUDA_DEVICE void countPast(const SamplerRow& row, int begin, uint32_t* times) {
  const int past = row.past(row.program->penaltyTokens);
  LLCUDA_NO_UNROLL
  for (int back = static_cast<int>(threadIdx.x); back < past; back += kSampleThreads)
    if (const uint32_t at = static_cast<uint32_t>(row.token(back) - begin); at < kAdjusted)
      atomicAddU32(times + at, 1);
}

/// A number stays one, so that the most likely token is never without a probability.
constexpr float kLowest = -3e38f;

LLCUDA_DEVICE float penalised(const SamplerProgram& program, float logit, uint32_t times) {
  logit = logit <= 0.f ? logit * program.repeat : divideFast(logit, program.repeat);
  return maxOf(logit - (static_cast<float>(times) * program.frequency + program.presence), kLowest);
}

/// Tokens behind the breaker's end when one begins at the token `back` before the newest; -1: none does. The longest of
/// several counts.
template <int kVocabulary>
LLCUDA_DEVICE int breakerAt(const SamplerRow& row, int back) {
  constexpr int kWords = tokenBitWords(kVocabulary);
  const int token = row.token(back);
  int longest = hasBit(row.breakers, token) ? 0 : -1;
  if (!hasBit(row.breakers + kWords, token))
    return longest;
  const auto* const tails = reinterpret_cast<const DryTails*>(row.breakers + 2 * kWords);
  int low = 0, high = static_cast<int>(tails->pairCount);
  while (low < high) { // the first pair of this head
    const int middle = (low + high) / 2;
    if (tails->pairs[middle].head < token)
      low = middle + 1;
    else
      high = middle;
  }
  for (; low < static_cast<int>(tails->pairCount) && tails->pairs[low].head == token; ++low) {
    const DryTails::Tail& tail = tails->tails[tails->pairs[low].tail];
    const int length = static_cast<int>(tail.length);
    if (length <= longest || length > back)
      continue;
    int same = 0;
    while (same < length && tail.tokens[same] == row.token(back - 1 - same)) ++same;
    longest = same == length ? length : longest;
  }
  return longest;
}

/// `lengths` of kAdjusted tokens from `begin` on become the lengths of the repetitions that they would go on with. All
/// threads call.
template <int kVocabulary>
LLCUDA_DEVICE void measureRepeats(const SamplerRow& row, int begin, uint32_t* lengths, CandidateMemory& memory) {
  const SamplerProgram& program = *row.program;
  const int past = row.past(program.dryTokens), allowed = static_cast<int>(program.dryAllowed);
  if (threadIdx.x == 0)
    memory.sums[0] = 0;
  syncThreads();
  if (past > allowed)
    LLCUDA_NO_UNROLL
  for (int back = static_cast<int>(threadIdx.x); back < past; back += kSampleThreads)
    if (const int behind = breakerAt<kVocabulary>(row, back); behind >= 0) {
      atomicMaxU64(memory.sums, uint64_t{~static_cast<uint32_t>(back)} << 32 | static_cast<uint32_t>(behind));
      break; // later ones of this thread are further back
    }
  syncThreads();
  const uint64_t breaker = memory.sums[0];
  const int limit = breaker == 0 ? past
                                 : static_cast<int>(~static_cast<uint32_t>(breaker >> 32)) -
                                       static_cast<int>(static_cast<uint32_t>(breaker));
  if (past > allowed && limit >= allowed)
    LLCUDA_NO_UNROLL
  for (int shift = 1 + static_cast<int>(threadIdx.x); shift < past; shift += kSampleThreads) {
    const uint32_t at = static_cast<uint32_t>(row.token(shift - 1) - begin);
    if (at >= kAdjusted)
      continue;
    int length = 0;
    while (length < limit && shift + length < past && row.token(length) == row.token(shift + length)) ++length;
    if (length >= allowed)
      atomicMaxU32(lengths + at, static_cast<uint32_t>(length) + 1); // 0 is for none
  }
}

LLCUDA_DEVICE float withoutRepeat(const SamplerProgram& program, float logit, uint32_t measured) {
  uint32_t exponent = measured - 1 - program.dryAllowed;
  if (program.dryMaxExponent != 0 && exponent > program.dryMaxExponent)
    exponent = program.dryMaxExponent;
  return maxOf(logit - program.dryMultiplier * exp2Fast(static_cast<float>(exponent) * program.dryLog2Base), kLowest);
}

/// Applies penalties or dry to `logits` of tokens from `begin` to `end`, at most kAdjusted. All threads call, each
/// knows what all have written.
template <int kVocabulary>
LLCUDA_CALLED void applyPast(SamplerOp op, const SamplerRow& row, float* logits, int begin, int end,
                             CandidateMemory& memory) {
  auto* const measured = reinterpret_cast<uint32_t*>(memory.weights);
  LLCUDA_NO_UNROLL
  for (int i = static_cast<int>(threadIdx.x); i < kAdjusted; i += kSampleThreads) measured[i] = 0;
  syncThreads();
  if (op == SamplerOp::kPenalties)
    countPast(row, begin, measured);
  else
    measureRepeats<kVocabulary>(row, begin, measured, memory);
  syncThreads();
  LLCUDA_NO_UNROLL
  for (int id = begin + static_cast<int>(threadIdx.x); id < end; id += kSampleThreads) {
    const uint32_t m = measured[id - begin];
    const float logit = logits[id];
    if (m == 0 || logit < kLowest || logit > -kLowest)
      continue;
    if (op == SamplerOp::kPenalties)
      logits[id] = penalised(*row.program, logit, m);
    else if (!hasBit(row.breakers, id))
      logits[id] = withoutRepeat(*row.program, logit, m);
  }
  syncThreads();
}

/// Stages at the front of a program that change logits: the blocks of a row share them.
LLCUDA_DEVICE uint32_t leadingStages(const SamplerProgram& program) {
  uint32_t count = 0;
  while (count < program.stageCount && program.stages[count].op <= SamplerOp::kDry) ++count;
  return count;
}

LLCUDA_DEVICE bool isAdjusted(const SamplerRow& row) {
  return row.mask || row.program->biasCount != 0 || leadingStages(*row.program) != 0;
}

/// Writes the adjusted logits of tokens from `begin` to `end`, at most kAdjusted. All threads call.
template <int kVocabulary>
LLCUDA_DEVICE void adjustShare(const SamplerRow& row, const float* logits, float* adjusted, int begin, int end,
                               CandidateMemory& memory) {
  LLCUDA_NO_UNROLL
  for (int id = begin + static_cast<int>(threadIdx.x); id < end; id += kSampleThreads)
    adjusted[id] = !row.mask || hasBit(row.mask, id) ? loadReadOnly(logits + id) : minusInfinity();
  syncThreads();
  const SamplerProgram& program = *row.program;
  LLCUDA_NO_UNROLL
  for (uint32_t i = threadIdx.x; i < program.biasCount; i += kSampleThreads)
    if (const int id = row.biases[i].token; id >= begin && id < end)
      adjusted[id] += row.biases[i].bias;
  syncThreads();
  const uint32_t leading = leadingStages(program);
  LLCUDA_NO_UNROLL
  for (uint32_t s = 0; s < leading; ++s)
    applyPast<kVocabulary>(program.stages[s].op, row, adjusted, begin, end, memory);
}

} // namespace llcuda
