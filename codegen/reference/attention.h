// SPDX-License-Identifier: Apache-2.0
// y[r][h] = sum over j of softmax_j(cap(scale * q[r][h] . k[j][g])) * v[j][g], g = h / (heads / kvHeads)
//
// Row r of position p sees keys j with p - window < j <= p (all j <= p without a window); cap(s) = softcap *
// tanh(s / softcap), or s without one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "codegen/reference/dot.h"
#include "codegen/reference/elementary.h"

namespace llcuda::reference {

struct AttentionShape {
  size_t heads = 1;
  size_t kvHeads = 1; ///< divides heads
  size_t headSize = 1;
  double scale = 1;
  size_t window = 0;  ///< 0: none
  double softcap = 0; ///< 0: none
};

/// One head of one row: `q` and `y` are [headSize]; keys and values of position j start at j * stride.
template <typename Acc, typename In, typename Cache>
void attendHead(const AttentionShape& shape, const In* q, const Cache* keys, const Cache* values, size_t stride,
                size_t position, Acc* y) {
  const size_t end = position + 1;
  const size_t begin = shape.window != 0 && end > shape.window ? end - shape.window : 0;
  std::vector<Acc> weight(end - begin);
  for (size_t j = begin; j < end; ++j) {
    Acc score = dot<Acc>(q, keys + j * stride, shape.headSize) * static_cast<Acc>(shape.scale);
    if (shape.softcap != 0)
      score = static_cast<Acc>(shape.softcap * hyperbolicTangent(static_cast<double>(score) / shape.softcap));
    weight[j - begin] = score;
  }
  const Acc highest = *std::max_element(weight.begin(), weight.end());
  for (Acc& w : weight) w = static_cast<Acc>(exponential(static_cast<double>(w - highest)));
  const Acc inverse = Acc(1) / laneSum<Acc>(weight.size(), [&](size_t i) { return weight[i]; });
  std::fill_n(y, shape.headSize, Acc(0));
  for (size_t j = begin; j < end; ++j)
    for (size_t i = 0; i < shape.headSize; ++i) y[i] += weight[j - begin] * static_cast<Acc>(values[j * stride + i]);
  for (size_t i = 0; i < shape.headSize; ++i) y[i] *= inverse;
}

/// `q` and `y` are [rows][heads][headSize]; `keys` and `values` [positions][kvHeads][headSize] hold at least every
/// position that is named. A row of position -1 becomes zero.
template <typename Acc, typename In, typename Cache>
void attention(const AttentionShape& shape, const In* q, const Cache* keys, const Cache* values,
               const int32_t* positions, size_t rows, Acc* y) {
  const size_t group = shape.heads / shape.kvHeads;
  for (size_t r = 0; r < rows; ++r)
    for (size_t h = 0; h < shape.heads; ++h) {
      const size_t head = (r * shape.heads + h) * shape.headSize;
      const size_t kv = h / group * shape.headSize;
      if (positions[r] < 0)
        std::fill_n(y + head, shape.headSize, Acc(0));
      else
        attendHead<Acc>(shape, q + head, keys + kv, values + kv, shape.kvHeads * shape.headSize,
                        static_cast<size_t>(positions[r]), y + head);
    }
}

} // namespace llcuda::reference
