// SPDX-License-Identifier: Apache-2.0
#include "codegen/reference/rope_table.h"

#include <cassert>

#include "codegen/reference/elementary.h"

namespace llcuda::reference {

std::vector<float> ropeTable(const RopeFrequencies& rope, size_t positions) {
  const size_t pairs = rope.dimensions / 2;
  assert(rope.dimensions % 2 == 0 && (rope.divisors.empty() || rope.divisors.size() == pairs));
  std::vector<double> speed(pairs);
  for (size_t i = 0; i < pairs; ++i) {
    const double exponent = -2.0 * static_cast<double>(i) / rope.dimensions;
    speed[i] = exponential(exponent * logarithm(rope.base)) * rope.scale;
    if (!rope.divisors.empty())
      speed[i] /= rope.divisors[i];
  }
  std::vector<float> table(positions * pairs * 2);
  for (size_t p = 0; p < positions; ++p)
    for (size_t i = 0; i < pairs; ++i) {
      const double angle = static_cast<double>(p) * speed[i];
      table[(p * pairs + i) * 2] = static_cast<float>(cosine(angle) * rope.magnitude);
      table[(p * pairs + i) * 2 + 1] = static_cast<float>(sine(angle) * rope.magnitude);
    }
  return table;
}

} // namespace llcuda::reference
