// SPDX-License-Identifier: Apache-2.0
// The experts of a row and their weights: those with the highest logits, the lower index first on ties, and the softmax
// over all experts at them, or over those chosen
#pragma once

#include "codegen/reference/log_softmax.h"

namespace llcuda::reference {

/// `logits` is [rows][count], `experts` and `weights` are [rows][choices]; the weights of a row add up to 1 if
/// `normalized`. choices <= count.
template <typename Acc, typename In>
void route(const In* logits, size_t rows, size_t count, size_t choices, bool normalized, int32_t* experts,
           Acc* weights) {
  for (size_t r = 0; r < rows; ++r) {
    const In* row = logits + r * count;
    const std::vector<int32_t> chosen = topK(row, count, choices);
    const double norm = logSumExp(row, count);
    double sum = 0;
    for (const int32_t expert : chosen) sum += exponential(static_cast<double>(row[expert]) - norm);
    for (size_t j = 0; j < choices; ++j) {
      const double p = exponential(static_cast<double>(row[chosen[j]]) - norm);
      experts[r * choices + j] = chosen[j];
      weights[r * choices + j] = static_cast<Acc>(normalized ? p / sum : p);
    }
  }
}

} // namespace llcuda::reference
