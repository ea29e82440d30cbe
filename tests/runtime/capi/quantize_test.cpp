// SPDX-License-Identifier: Apache-2.0
// 4-bit weights through the C interface. That they are bitsandbytes' own is held by tests/runtime/python.
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "llcuda/llcuda.h"

namespace llcuda {
namespace {

using testing::HasSubstr;

std::vector<float> randomValues(size_t count) {
  std::mt19937 random(7);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(static_cast<int32_t>(random())) * 0x1p-36f;
  return values;
}

/// The distance from `value` to the nearest of `table`, as a search through all of it finds it.
float nearestDistance(const float* table, size_t size, float value) {
  float least = std::numeric_limits<float>::max();
  for (size_t i = 0; i < size; ++i) least = std::min(least, std::fabs(table[i] - value));
  return least;
}

// 3 whole blocks and one of 9 values, the last of which has half a byte.
TEST(Quantize, Nf4TakesTheNearestValue) {
  const std::vector<float> values = randomValues(3 * 64 + 9);
  std::vector<uint8_t> codes((values.size() + 1) / 2);
  std::vector<float> absmax(4);
  ASSERT_EQ(llcuda_quantize_nf4(values.data(), values.size(), 64, codes.data(), absmax.data(), nullptr), LLCUDA_OK);
  const float* table = llcuda_nf4_values();
  for (size_t i = 0; i < values.size(); ++i) {
    const float scaled = values[i] / absmax[i / 64];
    EXPECT_LE(std::fabs(scaled), 1.f);
    const float found = table[codes[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
    EXPECT_NEAR(std::fabs(found - scaled), nearestDistance(table, 16, scaled), 1e-7) << i;
  }
  EXPECT_EQ(table[codes.back() & 15], 0.f);
}

// A quotient is first rounded to one of 65536 places, so the value may be a neighbour that is hardly farther away.
TEST(Quantize, Dynamic8TakesTheNearestValue) {
  const std::vector<float> values = randomValues(300);
  std::vector<uint8_t> codes(values.size());
  std::vector<float> absmax(2);
  ASSERT_EQ(llcuda_quantize_dynamic8(values.data(), values.size(), 256, codes.data(), absmax.data(), nullptr),
            LLCUDA_OK);
  const float* table = llcuda_dynamic8_values();
  for (int i = 0; i < 255; ++i) EXPECT_LT(table[i], table[i + 1]);
  EXPECT_EQ(table[127], 0.f);
  EXPECT_EQ(table[255], 1.f);
  for (size_t i = 0; i < values.size(); ++i) {
    const float scaled = values[i] / absmax[i / 256];
    EXPECT_NEAR(std::fabs(table[codes[i]] - scaled), nearestDistance(table, 256, scaled), 3. / 65535) << i;
  }
}

TEST(Quantize, BlocksOfZeros) {
  const std::vector<float> zeros(64);
  std::vector<uint8_t> codes(64);
  float absmax = 1;
  ASSERT_EQ(llcuda_quantize_nf4(zeros.data(), 64, 64, codes.data(), &absmax, nullptr), LLCUDA_OK);
  EXPECT_EQ(absmax, 0.f);
  EXPECT_EQ(llcuda_nf4_values()[codes[0] >> 4], 0.f);
  ASSERT_EQ(llcuda_quantize_dynamic8(zeros.data(), 64, 64, codes.data(), &absmax, nullptr), LLCUDA_OK);
  EXPECT_EQ(absmax, 0.f);
  EXPECT_EQ(codes, std::vector<uint8_t>(64));
}

TEST(Quantize, RefusesWhatIsNoNumberAndNoBlock) {
  std::vector<float> values = randomValues(128);
  std::vector<uint8_t> codes(128);
  std::vector<float> absmax(4);
  llcuda_error error;
  for (const size_t block : {size_t{0}, size_t{16}, size_t{96}, size_t{8192}}) {
    EXPECT_EQ(llcuda_quantize_nf4(values.data(), 128, block, codes.data(), absmax.data(), &error), LLCUDA_USAGE);
    EXPECT_THAT(error.message, HasSubstr("has to be a power of two from 32 to 4096"));
  }
  values[100] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(llcuda_quantize_nf4(values.data(), 128, 64, codes.data(), absmax.data(), &error), LLCUDA_BAD_INPUT);
  EXPECT_THAT(error.message, HasSubstr("value 100 is inf"));
  EXPECT_EQ(llcuda_quantize_dynamic8(values.data(), 128, 64, codes.data(), absmax.data(), &error), LLCUDA_BAD_INPUT);
  EXPECT_EQ(llcuda_quantize_nf4(values.data(), 100, 64, codes.data(), absmax.data(), &error), LLCUDA_OK);
}

} // namespace
} // namespace llcuda
