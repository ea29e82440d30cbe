// SPDX-License-Identifier: Apache-2.0
#include "codegen/reference/rope_table.h"

#include "codegen/reference/elementary.h"

namespace llcuda::reference {

std::vector<double> ropeFrequencies(size_t dimensions, double base) {
  std::vector<double> frequencies(dimensions / 2);
  for (size_t i = 0; i < frequencies.size(); ++i)
    frequencies[i] = exponential(-2.0 * static_cast<double>(i) / static_cast<double>(dimensions) * logarithm(base));
  return frequencies;
}

std::vector<float> ropeTable(std::span<const double> frequencies, double magnitude, size_t positions) {
  std::vector<float> table(positions * frequencies.size() * 2);
  float* next = table.data();
  for (size_t p = 0; p < positions; ++p)
    for (const double frequency : frequencies) {
      const double angle = static_cast<double>(p) * frequency;
      *next++ = static_cast<float>(cosine(angle) * magnitude);
      *next++ = static_cast<float>(sine(angle) * magnitude);
    }
  return table;
}

} // namespace llcuda::reference
