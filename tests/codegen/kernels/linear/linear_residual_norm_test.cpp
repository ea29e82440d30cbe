// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/linear/linear_residual_norm.cuh"

#include <gtest/gtest.h>

#include "codegen/reference/linear.h"
#include "codegen/reference/rms_norm.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"

namespace llcuda {
namespace {

using namespace testing;

constexpr int kColumns = 160, kOutputs = 224;
constexpr float kEps = 1e-5f;
constexpr auto kLayout = WeightLayout::kQ4_1Planes;

template <int kRows, bool kPostNorm = false, DecodeCut kCut = DecodeCut{2, 2}>
struct Step {
  TestWeight weight{kLayout, kOutputs, kColumns, 1};
  TestRows rows{kRows, kColumns, 2};
  std::vector<float> residual = normalFloats(kRows * kOutputs, 3), scale = normalFloats(kOutputs, 4);
  std::vector<float> postScale = normalFloats(kOutputs, 5), product = std::vector<float>(kRows * kOutputs);
  std::vector<float> y = residual, normed = std::vector<float>(kRows * kOutputs);
  Int8Rows int8{RowOrder::kRows, kRows, kOutputs};
  uint32_t arrivals = 0;

  void launch() {
    hostsim::launch({.grid = {kOutputs / kDecodeRows, 1, 1}, .block = kCut.slices * 32}, [&] {
      linearResidualNorm<kLayout, LinearShape{.m = kRows, .n = kOutputs, .k = kColumns}, kCut,
                         ResidualNormParts{.postNorm = kPostNorm}, RowForms{.f32 = true, .int8 = true}>(
          weight.blob.data(), nullptr, rows.few.codes.data(), rows.few.scales.data(), nullptr, y.data(),
          postScale.data(), scale.data(), &arrivals, product.data(), y.data(), normed.data(), int8.codes.data(),
          int8.scales.data(), kEps);
    });
  }

  void check() {
    std::vector<double> sum(kRows * kOutputs), wanted(kRows * kOutputs);
    reference::linear(rows.seenBy(kLayout).data(), weight.values.data(), nullptr, kRows, kColumns, kOutputs,
                      sum.data());
    if (kPostNorm)
      reference::rmsNorm(sum.data(), postScale.data(), kRows, kOutputs, kEps, sum.data());
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += residual[i];
    EXPECT_LE(nmse(y, sum), 1e-11);
    reference::rmsNorm(sum.data(), scale.data(), kRows, kOutputs, kEps, wanted.data());
    EXPECT_LE(nmse(normed, wanted), 1e-11);
    EXPECT_LE(nmse(int8.values(), wanted), 1e-4);
    EXPECT_TRUE(int8.areConsistent());
  }
};

TEST(LinearResidualNorm, OneRow) {
  Step<1> run;
  run.launch();
  run.check();
}

// A norm that reads the rows of another, or runs before the last block has stored, is wrong in some row.
TEST(LinearResidualNorm, FourRows) {
  Step<4> run;
  run.launch();
  run.check();
}

// The product is normed before it is added: rows that registers keep, and rows that are too many for that.
TEST(LinearResidualNorm, PostNorm) {
  Step<1, true> one;
  one.launch();
  one.check();
  Step<5, true, DecodeCut{1, 1}> many;
  many.launch();
  many.check();
}

// A count that is left behind lets the next launch norm half a row.
TEST(LinearResidualNorm, TheCountGoesBackToZero) {
  Step<2> run;
  for (int i = 0; i < 3; ++i) {
    run.y = run.residual;
    std::fill(run.normed.begin(), run.normed.end(), 0.f);
    run.launch();
    ASSERT_EQ(run.arrivals, 0u);
    run.check();
  }
}

} // namespace
} // namespace llcuda
