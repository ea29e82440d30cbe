// SPDX-License-Identifier: Apache-2.0
// The numbers are those of transformers' modeling_rope_utils (f32) for heads of 16 elements and the same parameters.
#include "compiler/models/rope_frequencies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llcuda::models {
namespace {

RopeConfig config(RopeScaling scaling, double factor, double base = 10000) {
  RopeConfig rope;
  rope.dimensions = 16;
  rope.base = base;
  rope.scaling = scaling;
  rope.factor = factor;
  rope.originalContext = 256;
  return rope;
}

void expectAngles(const RopeAngles& angles, const std::vector<double>& frequencies, double magnitude) {
  ASSERT_EQ(angles.frequencies.size(), frequencies.size());
  for (size_t i = 0; i < frequencies.size(); ++i)
    EXPECT_NEAR(angles.frequencies[i] / frequencies[i], 1, 1e-6) << "pair " << i;
  EXPECT_NEAR(angles.magnitude, magnitude, 1e-6);
}

TEST(RopeAngles, Linear) {
  expectAngles(ropeAngles(config(RopeScaling::kLinear, 4), 1024, 1024),
               {0.25, 0.079056941, 0.025, 0.00790569466, 0.0025, 0.000790569466, 0.00025, 7.90569466e-05}, 1);
}

// The first pair stays, the third is between, the last are slowed by the factor.
TEST(RopeAngles, Llama3) {
  expectAngles(
      ropeAngles(config(RopeScaling::kLlama3, 8, 500000), 1024, 1024),
      {1, 0.193922758, 0.0105382307, 0.000911583134, 0.000176776681, 3.42810235e-05, 6.64786967e-06, 1.28917316e-06},
      1);
}

TEST(RopeAngles, Yarn) {
  expectAngles(ropeAngles(config(RopeScaling::kYarn, 4), 1024, 1024),
               {1, 0.25693506, 0.0625, 0.0138349654, 0.0025, 0.000790569466, 0.00025, 7.90569466e-05},
               1.138629436111989);
}

// The pairs between which frequencies change are fractions.
TEST(RopeAngles, YarnWithoutRounding) {
  RopeConfig rope = config(RopeScaling::kYarn, 4);
  rope.truncated = false;
  expectAngles(ropeAngles(rope, 1024, 1024),
               {1, 0.253972292, 0.0553986356, 0.00963994302, 0.0025, 0.000790569466, 0.00025, 7.90569466e-05},
               1.138629436111989);
}

TEST(RopeAngles, YarnWithItsOwnRampAndMagnitude) {
  RopeConfig rope = config(RopeScaling::kYarn, 4);
  rope.betaFast = 8;
  rope.betaSlow = 2;
  rope.attentionFactor = 1.25;
  expectAngles(ropeAngles(rope, 1024, 1024),
               {1, 0.316227764, 0.0625, 0.00790569466, 0.0025, 0.000790569466, 0.00025, 7.90569466e-05}, 1.25);
}

// One more position than the original context changes every pair.
TEST(RopeAngles, LongRopeByContext) {
  RopeConfig rope = config(RopeScaling::kLongRope, 4);
  for (int i = 0; i < 8; ++i) {
    rope.shortFactors.push_back(1 + 0.1 * i);
    rope.longFactors.push_back(1 + i);
  }
  const double magnitude = 1.118033988749895;
  expectAngles(ropeAngles(rope, 1024, 256),
               {1, 0.287479758, 0.0833333358, 0.0243252143, 0.00714285718, 0.00210818532, 0.000625, 0.000186016332},
               magnitude);
  expectAngles(ropeAngles(rope, 1024, 257),
               {1, 0.158113882, 0.0333333351, 0.00790569466, 0.002, 0.00052704633, 0.000142857141, 3.95284733e-05},
               magnitude);
}

// What a GGUF file says in rope_freqs.weight.
TEST(RopeAngles, DivisorsWithoutScaling) {
  RopeConfig rope = config(RopeScaling::kNone, 1);
  rope.divisors = {1, 2, 4, 8, 1, 1, 1, 1};
  const RopeAngles plain = ropeAngles(config(RopeScaling::kNone, 1), 1024, 1024),
                   divided = ropeAngles(rope, 1024, 1024);
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(divided.frequencies[i], plain.frequencies[i] / rope.divisors[i]);
  EXPECT_EQ(divided.magnitude, 1);
}

TEST(RopeAngles, OriginalContextIsTheTrainedOneUnlessGiven) {
  RopeConfig rope = config(RopeScaling::kYarn, 4);
  rope.originalContext = 0;
  EXPECT_EQ(ropeAngles(rope, 256, 512), ropeAngles(config(RopeScaling::kYarn, 4), 1024, 512));
}

} // namespace
} // namespace llcuda::models
