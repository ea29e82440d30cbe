// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/rope/head_rows.cuh"

#include <gtest/gtest.h>

#include "codegen/reference/rms_norm.h"
#include "codegen/reference/rope.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/attention/paged_cache.h"

namespace llcuda {
namespace {

constexpr int kRows = 3, kHeads = 3, kSize = 64;
constexpr float kEps = 1e-6f;

/// Three heads of 64 leave groups of the one block without a head.
template <HeadTurn kTurn, typename Out>
std::pair<std::vector<float>, std::vector<double>> gotAndWanted(float spread) {
  const std::vector<float> x = testing::randomFloats(kRows * kHeads * kSize, 1, spread);
  const std::vector<float> scale = testing::randomFloats(kSize, 2), angles = testing::randomFloats(8 * kSize, 3);
  const std::vector<int> positions{7, 0, 3};
  std::vector<Out> y(x.size());
  hostsim::launch({.grid = {kRows, 1}, .block = kHeadThreads}, [&] {
    headRows<HeadShape{.heads = kHeads, .headSize = kSize}, kTurn>(
        x.data(), scale.data(), reinterpret_cast<const float2*>(angles.data()), positions.data(), y.data(), kEps);
  });
  std::vector<double> wanted(x.begin(), x.end());
  if (kTurn.norm)
    reference::rmsNorm(wanted.data(), scale.data(), kRows * kHeads, kSize, kEps, wanted.data());
  const auto pairs =
      kTurn.pairs == RopePairs::kHalves ? reference::RopePairs::kHalves : reference::RopePairs::kAdjacent;
  reference::rope(wanted.data(), angles.data(), positions.data(), pairs, kRows, kHeads, kSize, kTurn.dimensions,
                  wanted.data());
  if constexpr (std::is_same_v<Out, Half>)
    return {testing::floats(y), wanted};
  else
    return {y, wanted};
}

// A norm alone, of values as large as Gemma's: a sum of squares in f16 would be infinite.
TEST(HeadRows, Norm) {
  const auto [got, wanted] = gotAndWanted<HeadTurn{.dimensions = 0, .norm = true}, float>(800000.f);
  EXPECT_LE(testing::normalizedError(got, wanted), 1e-12);
}

TEST(HeadRows, Rotation) {
  const auto [got, wanted] = gotAndWanted<HeadTurn{.dimensions = 24}, float>(1.f);
  EXPECT_LE(testing::normalizedError(got, wanted), 1e-12);
  const auto [gotHalves, wantedHalves] =
      gotAndWanted<HeadTurn{.dimensions = 64, .pairs = RopePairs::kHalves}, float>(1.f);
  EXPECT_LE(testing::normalizedError(gotHalves, wantedHalves), 1e-12);
}

// Neither: the rounding that prompt attention wants.
TEST(HeadRows, RoundsToHalf) {
  const auto [got, wanted] = gotAndWanted<HeadTurn{.dimensions = 0}, Half>(1.f);
  for (size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], toFloat(toHalf(static_cast<float>(wanted[i]))));
}

} // namespace
} // namespace llcuda
