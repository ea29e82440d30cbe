// SPDX-License-Identifier: Apache-2.0
// What one attention has that another over the same heads and the same cache has not: how a product becomes a score,
// which keys a row sees, and what the denominator has besides their weights. The kernels are templates of it.
#pragma once

#include "codegen/kernels/ptx/load.cuh"
#include "codegen/kernels/ptx/math.cuh"

namespace llcuda {

/// Positions of the keys that a row sees: `first`, which may lie before the sequence, to `last`.
struct KeySpan {
  int first, last;

  LLCUDA_DEVICE int begin() const { return maxOf(first, 0); }
  LLCUDA_DEVICE bool has(int key) const { return key <= last && key >= first; }
};

template <typename A, typename B>
constexpr bool kIsSame = false;
template <typename A>
constexpr bool kIsSame<A, A> = true;
template <typename A, typename B>
concept Same = kIsSame<A, B>;

/// What kernels ask.
///   score(dot)            the score of a product, divided by a positive constant ...
///   factor()              ... which is this, in units of log2: keys of scores a and b have weights in the ratio
///                         2^(factor * (a - b))
///   keys(position, slot)  those of a row, of which later rows of a slot see neither an earlier first nor an earlier
///                         last one; a row of position -1 sees none
///   denominator(sum, highest, head)  what sums of weights are divided by, `sum` being of the weights under a maximum
///                         of `highest`, in units of log2
template <typename Variant>
concept AttentionVariant = requires(const Variant& variant, float number, int position, int slot, int head) {
  { variant.score(number) } -> Same<float>;
  { variant.factor() } -> Same<float>;
  { variant.keys(position, slot) } -> Same<KeySpan>;
  { variant.denominator(number, number, head) } -> Same<float>;
};

/// A row sees the keys up to its own. score = cap(scale * dot). A head's sink is the score of one more key, which every
/// row sees and whose value is zero.
struct CausalAttention {
  float scale;
  float softcap;      ///< 0: none
  int window;         ///< keys that a row sees, its own included; 0: all up to its own
  const float* sinks; ///< [heads]; null: none

  LLCUDA_DEVICE float score(float dot) const { return softcap == 0.f ? dot : tanhOf(dot * (scale / softcap)); }
  LLCUDA_DEVICE float factor() const { return (softcap == 0.f ? scale : softcap) * kLog2E; }
  LLCUDA_DEVICE KeySpan keys(int position, int) const {
    return {window == 0 ? kBeforeAll : position - window + 1, position};
  }
  /// A sink far above every key makes it infinite, and the row zeros.
  LLCUDA_DEVICE float denominator(float sum, float highest, int head) const {
    return sinks ? sum + exp2Fast(loadReadOnly(sinks + head) * kLog2E - highest) : sum;
  }

private:
  static constexpr float kLog2E = 1.4426950408889634f;
  static constexpr int kBeforeAll = -0x7fffffff - 1;
  static LLCUDA_DEVICE float tanhOf(float v) { return 1.f - 2.f * reciprocalFast(1.f + expFast(2.f * v)); }
};

/// A row sees the whole text of its slot, or of it the keys that lie at most half a window from its own. Scores and
/// denominators are those of `scores`.
struct TwoWayAttention {
  CausalAttention scores;
  const int* lengths; ///< of the text of each slot

  LLCUDA_DEVICE float score(float dot) const { return scores.score(dot); }
  LLCUDA_DEVICE float factor() const { return scores.factor(); }
  LLCUDA_DEVICE KeySpan keys(int position, int slot) const {
    if (position < 0)
      return {0, -1};
    const int last = loadReadOnly(lengths + slot) - 1, reach = scores.window / 2;
    return reach == 0 ? KeySpan{0, last} : KeySpan{position - reach, minOf(position + reach, last)};
  }
  LLCUDA_DEVICE float denominator(float sum, float highest, int head) const {
    return scores.denominator(sum, highest, head);
  }
};

} // namespace llcuda
