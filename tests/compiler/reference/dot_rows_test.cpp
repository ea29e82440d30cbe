// SPDX-License-Identifier: Apache-2.0
#include "compiler/reference/dot_rows.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "codegen/reference/dot.h"

namespace llcuda::reference {
namespace {

// To the last bit, for lengths on both sides of a register: another order of summing would differ in some of these.
TEST(DotRows, IsTheReferencesDot) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  for (const size_t columns : {1, 15, 16, 17, 31, 48, 576, 1531}) {
    std::vector<float> x(3 * columns), weights(kDotRows * columns);
    for (float& value : x) value = normal(random);
    for (float& value : weights) value = normal(random);
    for (size_t count = 1; count <= kDotRows; ++count) {
      std::vector<float> y(3 * kDotRows, -1.f);
      dotRows(x.data(), 3, columns, weights.data(), count, y.data(), kDotRows);
      for (size_t r = 0; r < 3; ++r)
        for (size_t n = 0; n < kDotRows; ++n)
          EXPECT_EQ(y[r * kDotRows + n],
                    n < count ? dot<float>(&x[r * columns], &weights[n * columns], columns) : -1.f);
    }
  }
}

} // namespace
} // namespace llcuda::reference
