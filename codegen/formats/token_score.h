// SPDX-License-Identifier: Apache-2.0
// How likely a token was: written by the log_probabilities kernel into the io buffer `scores`, read by the host.
#pragma once

#if defined(__CUDACC_RTC__)
using int32_t = int;
using uint64_t = unsigned long long;
#else
#include <cstdint>
#endif

namespace llcuda {

/// The most likely tokens that a score names.
inline constexpr int kTopTokens = 20;

/// Natural logarithms of probabilities: the softmax of a row of logits as the head made them.
struct TokenScore {
  int32_t token;        ///< that was asked for; negative: none was, and no other field counts
  int32_t broken;       ///< the lowest token whose logit is not finite, and then no probability counts; -1: none
  float logProbability; ///< of `token`
  float logSum;         ///< of the exponentials of all logits
  int32_t topTokens[kTopTokens];         ///< most likely first, of equal logits the lowest id; -1 behind the last of a
                                         ///< vocabulary that has fewer
  float topLogProbabilities[kTopTokens]; ///< of these; the same float as logProbability where the token is the same
};
static_assert(sizeof(TokenScore) == 16 + 8 * kTopTokens);

/// What a block found in its share of a row; the last one to arrive makes a TokenScore of them.
struct ScoreShare {
  uint64_t keys[kTopTokens]; ///< its most likely tokens as codegen/kernels/sample/logit_key.cuh orders them
  float highest;             ///< logit
  float sum;                 ///< of e^(logit - highest)
  float broken;              ///< vocabulary - the lowest token whose logit is not finite; 0: none
  float unused;
};
static_assert(sizeof(ScoreShare) == 16 + 8 * kTopTokens);

} // namespace llcuda
