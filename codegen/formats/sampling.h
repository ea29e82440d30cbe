// SPDX-License-Identifier: Apache-2.0
// How one row of logits becomes a token: written by the host into the io buffer `sampling`, read by the sample kernel.
#pragma once

#if defined(__CUDACC_RTC__)
using uint32_t = unsigned int;
using uint64_t = unsigned long long;
#else
#include <cstdint>
#endif

namespace llcuda {

/// Order of the filters as in llama.cpp: top-k, top-p, min-p, then the temperature, then the draw.
struct SamplingParams {
  float temperature; ///< <= 0: the most likely token (lowest id on ties); the other fields are then ignored
  float topP;        ///< in (0, 1]; 1 keeps all
  float minP;        ///< in [0, 1]; 0 keeps all
  uint32_t topK;     ///< 0 keeps all
  uint64_t seed;     ///< of the counter-based generator
  uint32_t step; ///< its counter: the position of the row, set by the kernel's caller once, then added to by the kernel
  uint32_t hold; ///< not 0: the row is computed and not sampled, and its next step is the same again
};
static_assert(sizeof(SamplingParams) == 32);

/// What stands in `sampled` instead of a token.
inline constexpr int kSampledNothing =
    -1; ///< nobody's row, or one whose logits are no numbers: from then on it is nobody's
inline constexpr int kSampledHeld = -2; ///< a row on hold

} // namespace llcuda
