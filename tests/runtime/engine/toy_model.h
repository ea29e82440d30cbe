// SPDX-License-Identifier: Apache-2.0
// The toy model's formula, shared by its kernels and by the tests' expectations.
#pragma once

#include <cstdint>

namespace llcuda::toy {

/// Folds a token into the state of a sequence; the state starts at 0.
inline uint32_t folded(uint32_t state, int32_t token) {
  return state * 31u + static_cast<uint32_t>(token) + 7u;
}

/// Logit of `token` when `next` is the best one: falls by `step` for each id after it, around the vocabulary.
inline float logitOf(uint32_t token, uint32_t next, uint32_t vocabulary, float step) {
  return -step * static_cast<float>((token + vocabulary - next) % vocabulary);
}

inline uint32_t drawn(uint64_t seed, uint64_t step, uint32_t vocabulary) {
  const uint64_t mixed = (seed * 6364136223846793005u + step + 1) * 2862933555777941757u;
  return static_cast<uint32_t>((mixed >> 33) % vocabulary);
}

} // namespace llcuda::toy
