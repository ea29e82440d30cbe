// SPDX-License-Identifier: Apache-2.0
// How rows of logits become tokens: what the host writes into the io buffers `sampling` (by row) and `samplers`,
// `history`, `logit_biases`, `dry_breakers`, `masks` (by slot), and what the sample kernel leaves in
// `sampling_reports`. What each stage does stands in docs/sampling.md.
#pragma once

#if defined(__CUDACC_RTC__)
using int32_t = int;
using uint32_t = unsigned int;
using uint64_t = unsigned long long;
#else
#include <cstdint>
#endif

namespace llcuda {

/// Of a row. All zeros: the most likely token (lowest id on ties) of the plain logits.
struct SamplingParams {
  uint64_t seed; ///< of the counter-based generator
  uint32_t step; ///< its counter: the position of the row, set by the kernel's caller once, then added to by the kernel
  uint32_t hold; ///< not 0: the row is computed and not sampled, and its next step is the same again
  uint32_t chain; ///< not 0: what the row's slot has been told decides
  uint32_t unused;
};
static_assert(sizeof(SamplingParams) == 24);

/// What stands in `sampled` instead of a token.
inline constexpr int kSampledNothing =
    -1; ///< nobody's row, or one whose logits are no numbers: from then on it is nobody's
inline constexpr int kSampledHeld = -2; ///< a row on hold

enum class SamplerOp : uint32_t {
  kPenalties = 0,   ///< by the values of the program
  kDry = 1,         ///< by the values of the program
  kTopNSigma = 2,   ///< a: deviations that are kept
  kTopK = 3,        ///< n: tokens that are kept
  kTypical = 4,     ///< a: share that is kept
  kTopP = 5,        ///< a: share that is kept
  kMinP = 6,        ///< a: share of the most likely one's probability
  kXtc = 7,         ///< a: chance, b: threshold
  kTemperature = 8, ///< a: temperature, b: range, both ways; the exponent is the program's
  kAdaptive = 9,    ///< a: target, b: decay; the last one
  kMirostat1 = 10,  ///< a: tau, b: eta; the last one
  kMirostat2 = 11,  ///< a: tau, b: eta; the last one
};

struct SamplerStage {
  SamplerOp op;
  float a, b;
  uint32_t n;
};

inline constexpr int kSamplerStages = 12;
inline constexpr int kLogitBiases = 1088; ///< of a slot: what a request may ask for, and tokens that end a text
inline constexpr uint32_t kAllTokens = 0xffffffffu; ///< as the length of what is looked back at

/// Of a slot: the stages in their order, after the bias and the mask. Without adaptive_p or mirostat a token is drawn
/// from what they leave.
struct SamplerProgram {
  uint32_t stageCount;
  uint32_t minKeep;   ///< candidates that top_p, min_p, typical_p and xtc leave at least
  uint32_t biasCount; ///< of the slot's `logit_biases`
  uint32_t takesBest; ///< not 0: the stages keep the most likely token, and one keeps it alone: penalties and dry count
  uint32_t usesPast;  ///< not 0: a stage reads `history`, and the kernel writes what the row reads there
  uint32_t reportsTop; ///< not 0: the report has candidates
  float repeat;        ///< the stage penalties
  float frequency;
  float presence;
  uint32_t penaltyTokens; ///< that it looks back
  float dryMultiplier;    ///< the stage dry
  float dryLog2Base;
  uint32_t dryMaxExponent; ///< beyond which penalties do not grow
  uint32_t dryAllowed;
  uint32_t dryTokens; ///< that it looks back
  float dynatempExponent;
  float state[2]; ///< mirostat: mu; adaptive_p: S and W. The kernel goes on from them
  uint32_t unused[2];
  SamplerStage stages[kSamplerStages];
};
static_assert(sizeof(SamplerProgram) == 272);

struct LogitBias {
  int32_t token; ///< of a slot's list each at most once
  float bias;
};

/// Words of a bit for each token.
constexpr int tokenBitWords(int vocabulary) {
  return (vocabulary + 31) / 32;
}

/// A slot's mask: a word that is not 0 when it counts, then a bit for each token that is allowed.
constexpr int maskWords(int vocabulary) {
  return 1 + tokenBitWords(vocabulary);
}

/// A slot's sequence breakers: a bit for each token that holds one, a bit for each that begins one of several tokens,
/// then `DryTails`. A breaker of several tokens is its first and a tail, whose tokens follow.
inline constexpr int kDryPairs = 4096;
inline constexpr int kDryTails = 256;
inline constexpr int kDryTailTokens = 20;
struct DryTails {
  uint32_t pairCount;
  struct Pair {
    int32_t head;
    uint32_t tail;
  } pairs[kDryPairs]; ///< by rising heads
  struct Tail {
    uint32_t length; ///< at least 1
    int32_t tokens[kDryTailTokens];
  } tails[kDryTails];
};
constexpr int dryBreakerWords(int vocabulary) {
  return 2 * tokenBitWords(vocabulary) + static_cast<int>(sizeof(DryTails) / sizeof(uint32_t));
}

/// Logit keys that each of the blocks of a row offers the last one, and 64-bit words of a row's workspace.
constexpr int offersOfBlock(int blocks) {
  return blocks <= 32 ? 128 : 4096 / blocks;
}
constexpr int samplePartials(int blocks) {
  return blocks * (2 + offersOfBlock(blocks));
}

/// What the kernel says of a row with a chain beside its token.
inline constexpr int kReportedCandidates = 20;
struct SamplingReport {
  float state[2];
  float probability; ///< of the token, among those that were left
  uint32_t count;    ///< of `top`; 0 where the program does not ask for it
  struct Top {
    int32_t token;
    float probability;
  } top[kReportedCandidates]; ///< most likely first, of equal ones the lowest id; what cannot be drawn is not there
};
static_assert(sizeof(SamplingReport) == 176);

} // namespace llcuda
