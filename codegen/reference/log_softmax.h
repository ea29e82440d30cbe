// SPDX-License-Identifier: Apache-2.0
// y[i] = x[i] - ln(sum over j of e^x[j]), and the highest of a row
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "codegen/reference/dot.h"
#include "codegen/reference/elementary.h"

namespace llcuda::reference {

/// ln(sum over i of e^x[i]) of one row. Summed in double whatever the input: a vocabulary has too many small terms.
template <typename In>
double logSumExp(const In* x, size_t count) {
  const double highest = static_cast<double>(*std::max_element(x, x + count));
  const double sum = laneSum<double>(count, [&](size_t i) { return exponential(static_cast<double>(x[i]) - highest); });
  return highest + logarithm(sum);
}

template <typename Acc, typename In>
void logSoftmax(const In* x, size_t count, Acc* y) {
  const double norm = logSumExp(x, count);
  for (size_t i = 0; i < count; ++i) y[i] = static_cast<Acc>(static_cast<double>(x[i]) - norm);
}

/// Indices of the `k` highest values, highest first, the lower index first on ties; k <= count.
template <typename In>
std::vector<int32_t> topK(const In* x, size_t count, size_t k) {
  std::vector<int32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  const auto before = [&](int32_t a, int32_t b) { return x[a] > x[b] || (x[a] == x[b] && a < b); };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(), before);
  order.resize(k);
  return order;
}

} // namespace llcuda::reference
