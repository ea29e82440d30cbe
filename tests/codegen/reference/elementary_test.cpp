// SPDX-License-Identifier: Apache-2.0
#include "codegen/reference/elementary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace llcuda::reference {
namespace {

// Relative distance in units of 2^-52; the C library's functions are the other witness, right to under one such unit.
double ulps(double value, double truth) {
  return truth == 0 ? std::fabs(value) * 0x1p52 : std::fabs(value - truth) / std::fabs(truth) * 0x1p52;
}

template <typename Ours, typename Theirs>
void expectNear(Ours ours, Theirs theirs, double low, double high, double limit) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200000; ++i) {
    const double x = low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53;
    ASSERT_LE(ulps(ours(x), theirs(x)), limit) << "at " << x;
  }
}

TEST(Elementary, ExponentialAgreesWithTheLibrary) {
  expectNear(
      exponential, [](double x) { return std::exp(x); }, -700, 700, 4);
  expectNear(
      exponential, [](double x) { return std::exp(x); }, -1, 1, 4);
}

// A two-step scale that is missing would turn the smallest values into zero and the largest into infinity.
TEST(Elementary, ExponentialAtTheEnds) {
  EXPECT_EQ(exponential(0), 1);
  EXPECT_GT(exponential(-744), 0);
  EXPECT_EQ(exponential(-800), 0);
  EXPECT_TRUE(std::isfinite(exponential(709.7)));
  EXPECT_TRUE(std::isinf(exponential(710)));
  EXPECT_TRUE(std::isnan(exponential(NAN)));
  EXPECT_EQ(exponential(-INFINITY), 0);
}

TEST(Elementary, LogarithmAgreesWithTheLibrary) {
  expectNear(
      logarithm, [](double x) { return std::log(x); }, 1e-3, 0.9, 4);
  expectNear(
      logarithm, [](double x) { return std::log(x); }, 1.1, 1e9, 4);
  EXPECT_EQ(logarithm(1), 0);
  EXPECT_TRUE(std::isinf(logarithm(0)));
  EXPECT_TRUE(std::isnan(logarithm(-1)));
  EXPECT_NEAR(logarithm(0x1p-1060), std::log(0x1p-1060), 1e-12);
}

TEST(Elementary, TangentAgreesWithTheLibrary) {
  expectNear(
      hyperbolicTangent, [](double x) { return std::tanh(x); }, -0.06, 0.06, 40);
  expectNear(
      hyperbolicTangent, [](double x) { return std::tanh(x); }, -25, 25, 8);
}

TEST(Elementary, ErrorFunctionAgreesWithTheLibrary) {
  for (double x = -7; x <= 7; x += 0.01) ASSERT_NEAR(errorFunction(x), std::erf(x), 2e-15) << "at " << x;
  EXPECT_EQ(errorFunction(0), 0);
  EXPECT_EQ(errorFunction(100), 1);
  EXPECT_TRUE(std::isnan(errorFunction(std::nan(""))));
}

// The angle of the last position of a long context: a reduction by one constant alone would be wrong in the 6th digit.
TEST(Elementary, AnglesOfLongContexts) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200000; ++i) {
    const double x = static_cast<double>(random() >> 11) * 0x1p-53 * 4194304.0 * (i % 2 == 0 ? 1 : -1e-3);
    ASSERT_NEAR(sine(x), std::sin(x), 1e-15) << "at " << x;
    ASSERT_NEAR(cosine(x), std::cos(x), 1e-15) << "at " << x;
  }
}

} // namespace
} // namespace llcuda::reference
