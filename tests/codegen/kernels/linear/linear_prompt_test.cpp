// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "codegen/formats/weight_layout.h"
#include "codegen/kernels/linear/linear_prompt_f16.cuh"
#include "codegen/kernels/linear/linear_prompt_f32.cuh"
#include "codegen/kernels/linear/linear_prompt_s8.cuh"
#include "codegen/pack/pack.h"
#include "codegen/reference/linear.h"
#include "codegen/reference/quantize_rows.h"
#include "runtime/hostsim/launch.h"

namespace llcuda {
namespace {

std::vector<float> randomFloats(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& v : values) v = normal(generator);
  return values;
}

/// A packed weight of random codes and scales, 256-byte aligned.
struct RandomWeight {
  struct alignas(256) Line {
    std::byte bytes[256];
  };
  std::vector<Line> lines;
  std::vector<float> values;

  RandomWeight(WeightLayout layout, size_t outputs, size_t inputs, uint32_t seed) {
    const uint64_t bytes = *pack::packedBytes(layout, outputs, inputs);
    lines.resize((bytes + 255) / 256);
    std::byte* const blob = lines[0].bytes;
    std::mt19937 generator(seed);
    for (uint64_t i = 0; i < bytes; ++i) blob[i] = static_cast<std::byte>(generator());
    const auto randomHalf = [&](float spread) { return toHalf(spread * (generator() % 2001 / 1000.f - 1.f)); };
    if (layout == WeightLayout::kF32Rows) {
      const std::vector<float> random = randomFloats(outputs * inputs, seed);
      std::memcpy(blob, random.data(), random.size() * sizeof(float));
    } else if (layout == WeightLayout::kF16Rows) {
      for (uint64_t i = 0; i < bytes / 2; ++i) reinterpret_cast<Half*>(blob)[i] = randomHalf(1.f);
    } else {
      Half* const scales = reinterpret_cast<Half*>(blob + weightScalesOffset(layout, outputs, inputs));
      const size_t each = layout == WeightLayout::kQ4_1Planes ? 2 : 1;
      for (size_t i = 0; i < outputs * inputs / 32 * each; ++i)
        scales[i] = i % each == 1 ? toHalf(-8.f * toFloat(scales[i - 1])) : randomHalf(0.1f);
    }
    values.resize(outputs * inputs);
    pack::unpack(layout, outputs, inputs, {blob, bytes}, values.data());
  }

  const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(lines.data()); }
};

enum class Epilogue { kNone, kBias, kResidual, kBoth };

template <WeightLayout kLayout, int kRows, int kInputs, int kOutputs, typename Tile>
struct PromptLinear {
  RandomWeight weight{kLayout, kOutputs, kInputs, 11};
  std::vector<float> x = randomFloats(kRows * kInputs, 12), bias = randomFloats(kOutputs, 13);
  std::vector<float> y = randomFloats(kRows * kOutputs, 14);
  std::vector<int8_t> codes = std::vector<int8_t>(x.size());
  std::vector<reference::RowScale> scales = std::vector<reference::RowScale>(x.size() / 32);
  std::vector<int> positions = std::vector<int>(kRows, 0);

  void launch(Epilogue epilogue) {
    const bool biased = epilogue == Epilogue::kBias || epilogue == Epilogue::kBoth;
    const bool added = epilogue == Epilogue::kResidual || epilogue == Epilogue::kBoth;
    const PromptOutput output{biased ? bias.data() : nullptr, added ? y.data() : nullptr, y.data()};
    const hostsim::LaunchShape shape{
        .grid = {uint32_t(ceilDivide(kRows, Tile::kRows)), uint32_t(ceilDivide(kOutputs, Tile::kColumns))},
        .block = Tile::kThreads};
    hostsim::launch(shape, [&] {
      if constexpr (kLayout == WeightLayout::kF32Rows)
        linearPromptF32<kRows, kInputs, kOutputs, Tile>(reinterpret_cast<const float*>(weight.data()), x.data(),
                                                        positions.data(), output);
      else if constexpr (kLayout == WeightLayout::kF16Rows)
        linearPromptF16<kRows, kInputs, kOutputs, Tile>(reinterpret_cast<const Half*>(weight.data()), x.data(),
                                                        positions.data(), output);
      else
        linearPromptS8<kLayout, kRows, kInputs, kOutputs, Tile>(
            weight.data(), codes.data(), reinterpret_cast<const float2*>(scales.data()), positions.data(), output);
    });
  }

  /// The error against the values that the kernel was given: quantising x is not the kernel's doing.
  double error(Epilogue epilogue) {
    std::vector<double> given(x.begin(), x.end());
    if (weightReadsInt8Rows(kLayout)) {
      reference::quantizeRows(x.data(), kRows, kInputs, codes.data(), scales.data());
      reference::dequantizeRows(codes.data(), scales.data(), x.size(), given.data());
    }
    const bool biased = epilogue == Epilogue::kBias || epilogue == Epilogue::kBoth;
    std::vector<double> wanted(y.size());
    reference::linear<double>(given.data(), weight.values.data(), biased ? bias.data() : nullptr, kRows, kInputs,
                              kOutputs, wanted.data());
    if (epilogue == Epilogue::kResidual || epilogue == Epilogue::kBoth)
      for (size_t i = 0; i < y.size(); ++i) wanted[i] += y[i];
    launch(epilogue);
    double difference = 0, power = 0;
    for (size_t i = 0; i < y.size(); ++i) {
      difference += (y[i] - wanted[i]) * (y[i] - wanted[i]);
      power += wanted[i] * wanted[i];
    }
    return difference / power;
  }
};

using Square = PromptLinearTile<64, 64, 2, 2>;
using Wide = PromptLinearTile<64, 128, 2, 4>;
using Low = PromptLinearTile<16, 128, 1, 4>;
using Middle = PromptLinearTile<32, 128, 1, 4>;
constexpr double kExact = 1e-12; ///< f32 sums
constexpr double kHalf = 1e-6;   ///< x rounded to f16

// Rows, outputs and inputs that are no whole tiles, with every epilogue.
TEST(LinearPrompt, Q4_0) {
  using enum WeightLayout;
  EXPECT_LT((PromptLinear<kQ4_0Planes, 70, 96, 72, Square>().error(Epilogue::kNone)), kExact);
  EXPECT_LT((PromptLinear<kQ4_0Planes, 64, 576, 64, Square>().error(Epilogue::kBias)), kExact);
  EXPECT_LT((PromptLinear<kQ4_0Planes, 5, 32, 130, Low>().error(Epilogue::kResidual)), kExact);
}
TEST(LinearPrompt, Q4_1) {
  using enum WeightLayout;
  EXPECT_LT((PromptLinear<kQ4_1Planes, 70, 96, 72, Square>().error(Epilogue::kResidual)), kExact);
  EXPECT_LT((PromptLinear<kQ4_1Planes, 33, 192, 129, Middle>().error(Epilogue::kBoth)), kExact);
  EXPECT_LT((PromptLinear<kQ4_1Planes, 64, 160, 250, Wide>().error(Epilogue::kNone)), kExact);
}
TEST(LinearPrompt, Q8_0) {
  using enum WeightLayout;
  EXPECT_LT((PromptLinear<kQ8_0Planes, 70, 96, 72, Square>().error(Epilogue::kNone)), kExact);
  EXPECT_LT((PromptLinear<kQ8_0Planes, 16, 1536, 128, Low>().error(Epilogue::kResidual)), kExact);
  EXPECT_LT((PromptLinear<kQ8_0Planes, 64, 128, 131, Wide>().error(Epilogue::kBias)), kExact);
}
TEST(LinearPrompt, F16) {
  using enum WeightLayout;
  EXPECT_LT((PromptLinear<kF16Rows, 70, 96, 72, Square>().error(Epilogue::kNone)), kHalf);
  EXPECT_LT((PromptLinear<kF16Rows, 16, 64, 131, Low>().error(Epilogue::kBoth)), kHalf);
  EXPECT_LT((PromptLinear<kF16Rows, 33, 160, 129, Middle>().error(Epilogue::kResidual)), kHalf);
  EXPECT_LT((PromptLinear<kF16Rows, 64, 32, 130, Wide>().error(Epilogue::kBias)), kHalf);
}
TEST(LinearPrompt, F32) {
  using enum WeightLayout;
  EXPECT_LT((PromptLinear<kF32Rows, 70, 96, 37, PromptLinearTile<64, 32, 4, 1>>().error(Epilogue::kBoth)), kExact);
  EXPECT_LT((PromptLinear<kF32Rows, 9, 64, 70, PromptLinearTile<32, 64, 2, 2>>().error(Epilogue::kNone)), kExact);
}

// Codes at the ends of their range: an accumulator that starts at the bits of a float must not leave its exponent.
TEST(LinearPrompt, LargestCodes) {
  PromptLinear<WeightLayout::kQ8_0Planes, 16, 64, 128, Low> linear;
  std::fill(linear.x.begin(), linear.x.end(), -3.f);
  uint8_t* const codes = const_cast<uint8_t*>(linear.weight.data());
  std::memset(codes, 0x80, 128 * 64);
  for (size_t i = 0; i < linear.weight.values.size(); ++i) linear.weight.values[i] = 0;
  const uint64_t bytes = *pack::packedBytes(WeightLayout::kQ8_0Planes, 128, 64);
  pack::unpack(WeightLayout::kQ8_0Planes, 128, 64, {linear.weight.lines[0].bytes, bytes}, linear.weight.values.data());
  EXPECT_LT(linear.error(Epilogue::kNone), kExact);
}

// A tile of padding keeps what y held; a tile with one row in use is made.
TEST(LinearPrompt, SkipsTilesOfPadding) {
  PromptLinear<WeightLayout::kQ4_1Planes, 192, 32, 64, Square> linear;
  std::fill(linear.positions.begin(), linear.positions.end(), -1);
  linear.positions[100] = 7;
  reference::quantizeRows(linear.x.data(), 192, 32, linear.codes.data(), linear.scales.data());
  const std::vector<float> before = linear.y;
  linear.launch(Epilogue::kNone);
  for (size_t i = 0; i < before.size(); ++i) {
    const size_t tile = i / 64 / 64;
    if (tile != 1)
      ASSERT_EQ(linear.y[i], before[i]);
    else
      ASSERT_NE(linear.y[i], before[i]);
  }
}

} // namespace
} // namespace llcuda
