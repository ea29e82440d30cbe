// SPDX-License-Identifier: Apache-2.0
#include "codegen/reference/rope_table.h"

#include <cmath>

#include "codegen/reference/elementary.h"

namespace llcuda::reference {
namespace {

double grown(const PositionGrowth& growth, size_t position) {
  return 1 + growth.rate * logarithm(1 + std::floor(static_cast<double>(position) / growth.period));
}

} // namespace

std::vector<double> ropeFrequencies(size_t dimensions, double base) {
  std::vector<double> frequencies(dimensions / 2);
  for (size_t i = 0; i < frequencies.size(); ++i)
    frequencies[i] = exponential(-2.0 * static_cast<double>(i) / static_cast<double>(dimensions) * logarithm(base));
  return frequencies;
}

std::vector<float> ropeTable(std::span<const double> frequencies, double magnitude, size_t positions,
                             const PositionGrowth& growth) {
  std::vector<float> table(positions * frequencies.size() * 2);
  float* next = table.data();
  for (size_t p = 0; p < positions; ++p) {
    const double size = magnitude * grown(growth, p);
    for (const double frequency : frequencies) {
      const double angle = static_cast<double>(p) * frequency;
      *next++ = static_cast<float>(cosine(angle) * size);
      *next++ = static_cast<float>(sine(angle) * size);
    }
  }
  return table;
}

} // namespace llcuda::reference
