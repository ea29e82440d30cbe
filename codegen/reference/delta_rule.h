// SPDX-License-Identifier: Apache-2.0
// One step of the gated delta rule, of one value head with its state S [value][key]:
//   S = a S;  S = S + (beta (v - S k)) k^T;  y = S q
// q and k being divided by their norms, q besides by sqrt(size), and a = exp(softplus(decay + dt) * rate)
#pragma once

#include <cmath>
#include <cstddef>

#include "codegen/reference/dot.h"
#include "codegen/reference/elementary.h"

namespace llcuda::reference {

struct DeltaRuleShape {
  size_t keyHeads, valueHeads, headSize;
  bool grouped; ///< value heads of a key head stand together; else they are keyHeads apart
  bool logRate; ///< the rate is -exp of what is stored

  size_t columns() const { return (2 * keyHeads + valueHeads) * headSize; }
  size_t stateElements() const { return valueHeads * headSize * headSize; }
};

/// log(1 + e^x)
inline double softplus(double x) {
  return x > 40 ? x : x < -20 ? exponential(x) * (1 - exponential(x) / 2) : logarithm(1 + exponential(x));
}

/// x / sqrt(sum of squares + 1e-6) * factor
template <typename Acc, typename In>
void unitRow(const In* x, size_t count, Acc factor, Acc* y) {
  const Acc inverse = factor / std::sqrt(dot<Acc>(x, x, count) + static_cast<Acc>(1e-6));
  for (size_t i = 0; i < count; ++i) y[i] = static_cast<Acc>(x[i]) * inverse;
}

/// Value head `head` of a row `x` of queries, keys and values. `state` is the head's, [size][size]; `query` and `key`
/// are room for a head each, `y` is [size].
template <typename Acc, typename In>
void deltaRule(const DeltaRuleShape& shape, size_t head, const In* x, double decay, double beta, double rate, double dt,
               Acc* state, Acc* query, Acc* key, Acc* y) {
  const size_t size = shape.headSize;
  const size_t group = shape.grouped ? head / (shape.valueHeads / shape.keyHeads) : head % shape.keyHeads;
  unitRow<Acc>(x + group * size, size, static_cast<Acc>(1 / std::sqrt(static_cast<double>(size))), query);
  unitRow<Acc>(x + (shape.keyHeads + group) * size, size, Acc(1), key);
  const In* value = x + (2 * shape.keyHeads + head) * size;
  const auto kept = static_cast<Acc>(exponential(softplus(decay + dt) * (shape.logRate ? -exponential(rate) : rate)));
  const auto counted = static_cast<Acc>(1 / (1 + exponential(-beta)));
  for (size_t v = 0; v < size; ++v) {
    Acc* const row = state + v * size;
    for (size_t i = 0; i < size; ++i) row[i] *= kept;
    const Acc correction = counted * (static_cast<Acc>(value[v]) - dot<Acc>(row, key, size));
    for (size_t i = 0; i < size; ++i) row[i] += key[i] * correction;
    y[v] = dot<Acc>(row, query, size);
  }
}

} // namespace llcuda::reference
