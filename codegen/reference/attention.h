// SPDX-License-Identifier: Apache-2.0
// y[r][h] = sum over the keys j that row r sees of softmax_j(score(q[r][h] . k[j][g])) * v[j][g],
// g = h / (heads / kv heads)
//
// A variant says which keys the row at a position sees, how a product becomes a score, and what score the softmax has
// besides.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "codegen/reference/dot.h"
#include "codegen/reference/elementary.h"

namespace llcuda::reference {

struct AttentionShape {
  size_t heads = 1;
  size_t kvHeads = 1; ///< divides heads
  size_t headSize = 1;
};

/// Keys of a row: begin ... end - 1.
struct KeyRange {
  size_t begin, end;
};

/// The row of position p sees keys j with p - window < j <= p (all j <= p without a window), and scores are
/// softcap * tanh(scale * dot / softcap), or scale * dot without a softcap. A head's sink is the score of one more key,
/// whose value is zero.
struct CausalAttention {
  double scale = 1;
  double softcap = 0;           ///< 0: none
  size_t window = 0;            ///< 0: none
  const float* sinks = nullptr; ///< [heads]; null: none

  template <typename Acc>
  Acc score(Acc dot) const {
    const Acc scaled = dot * static_cast<Acc>(scale);
    return softcap == 0 ? scaled : static_cast<Acc>(softcap * hyperbolicTangent(static_cast<double>(scaled) / softcap));
  }
  KeyRange keys(size_t position) const {
    const size_t end = position + 1;
    return {window != 0 && end > window ? end - window : 0, end};
  }
  std::optional<double> sink(size_t head) const { return sinks ? std::optional<double>(sinks[head]) : std::nullopt; }
};

/// The row of position p sees all keys of its text, or those with |p - j| <= window / 2 where there is a window, which
/// is more than 1. Scores and sinks are those of `scores`.
struct TwoWayAttention {
  CausalAttention scores;
  size_t length = 1; ///< of the text

  template <typename Acc>
  Acc score(Acc dot) const {
    return scores.score(dot);
  }
  KeyRange keys(size_t position) const {
    const size_t reach = scores.window / 2;
    if (reach == 0)
      return {0, length};
    return {position > reach ? position - reach : 0, std::min(position + reach + 1, length)};
  }
  std::optional<double> sink(size_t head) const { return scores.sink(head); }
};

/// One head of one row: `q` and `y` are [headSize]; keys and values of position j start at j * stride.
template <typename Acc, typename Variant, typename In, typename Cache>
void attendHead(const Variant& variant, size_t head, size_t headSize, const In* q, const Cache* keys,
                const Cache* values, size_t stride, size_t position, Acc* y) {
  const KeyRange seen = variant.keys(position);
  std::vector<Acc> weight(seen.end - seen.begin);
  for (size_t j = seen.begin; j < seen.end; ++j)
    weight[j - seen.begin] = variant.score(dot<Acc>(q, keys + j * stride, headSize));
  Acc highest = *std::max_element(weight.begin(), weight.end());
  const std::optional<double> sink = variant.sink(head);
  if (sink)
    highest = std::max(highest, static_cast<Acc>(*sink));
  for (Acc& w : weight) w = static_cast<Acc>(exponential(static_cast<double>(w - highest)));
  Acc sum = laneSum<Acc>(weight.size(), [&](size_t i) { return weight[i]; });
  if (sink)
    sum += static_cast<Acc>(exponential(*sink - static_cast<double>(highest)));
  const Acc inverse = Acc(1) / sum;
  std::fill_n(y, headSize, Acc(0));
  for (size_t j = seen.begin; j < seen.end; ++j)
    for (size_t i = 0; i < headSize; ++i) y[i] += weight[j - seen.begin] * static_cast<Acc>(values[j * stride + i]);
  for (size_t i = 0; i < headSize; ++i) y[i] *= inverse;
}

/// `q` and `y` are [rows][heads][headSize]; `keys` and `values` [positions][kvHeads][headSize] hold at least every
/// position that is seen. A row of position -1 becomes zero.
template <typename Acc, typename Variant, typename In, typename Cache>
void attention(const AttentionShape& shape, const Variant& variant, const In* q, const Cache* keys, const Cache* values,
               const int32_t* positions, size_t rows, Acc* y) {
  const size_t group = shape.heads / shape.kvHeads;
  for (size_t r = 0; r < rows; ++r)
    for (size_t h = 0; h < shape.heads; ++h) {
      const size_t head = (r * shape.heads + h) * shape.headSize;
      const size_t kv = h / group * shape.headSize;
      if (positions[r] < 0)
        std::fill_n(y + head, shape.headSize, Acc(0));
      else
        attendHead<Acc>(variant, h, shape.headSize, q + head, keys + kv, values + kv, shape.kvHeads * shape.headSize,
                        static_cast<size_t>(positions[r]), y + head);
    }
}

} // namespace llcuda::reference
