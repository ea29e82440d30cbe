// SPDX-License-Identifier: Apache-2.0
#include "codegen/pack/pack.h"

#include <cstring>
#include <numeric>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/formats/dequantize.h"
#include "tests/codegen/random_blocks.h"

namespace llcuda::pack {
namespace {

using formats::TensorType;

using llcuda::testing::randomTensor;
using llcuda::testing::weightTypes;

struct Case {
  WeightLayout layout;
  TensorType source;
};

std::vector<Case> allCases() {
  std::vector<Case> cases = {{WeightLayout::kF32Rows, TensorType::kF16}};
  for (TensorType type : weightTypes()) cases.push_back({*formats::tensorTypeInfo(type).layout, type});
  return cases;
}

/// How a failing test shows its parameter.
void PrintTo(const Case& c, std::ostream* out) {
  *out << layoutName(c.layout) << " of " << formats::tensorTypeInfo(c.source).name;
}

constexpr uint64_t kRows = 7;

/// Three blocks, so that rows begin at odd places of the planes.
uint64_t columnsOf(TensorType type) {
  return 3 * std::max(32u, formats::tensorTypeInfo(type).blockElements);
}

uint64_t tensorBytes(TensorType type, uint64_t elements) {
  const formats::TensorTypeInfo& info = formats::tensorTypeInfo(type);
  return elements / info.blockElements * info.blockBytes;
}

std::vector<float> decoded(TensorType type, std::span<const std::byte> bytes, uint64_t elements) {
  std::vector<float> values(elements);
  formats::dequantizeRow(type, bytes.data(), elements, values.data());
  return values;
}

std::vector<std::byte> packed(const Case& c, std::span<const std::byte> source, std::span<const uint32_t> order = {}) {
  const uint64_t columns = columnsOf(c.source);
  std::vector<std::byte> blob(*packedBytes(c.layout, kRows, columns), std::byte{0x5A});
  const Result<void> result = pack(c.layout, kRows, columns, order, c.source, source, blob);
  EXPECT_TRUE(result.ok()) << result.error().message;
  return blob;
}

class PackEach : public ::testing::TestWithParam<Case> {};

// A nibble in the wrong place, a scale of another block, or a minimum taken for a scale changes a value. Every encoding
// comes back bit for bit, those that become s8_planes too.
TEST_P(PackEach, KeepsEveryValue) {
  const uint64_t columns = columnsOf(GetParam().source);
  const std::vector<std::byte> source = randomTensor(GetParam().source, kRows * columns, 1);
  const std::vector<std::byte> blob = packed(GetParam(), source);
  std::vector<float> values(kRows * columns);
  unpack(GetParam().layout, kRows, columns, blob, values.data());
  EXPECT_EQ(values, decoded(GetParam().source, source, kRows * columns));
}

// Row r of the weight is row order[r] of the tensor, not the other way round: the order here is no involution.
TEST_P(PackEach, TakesRowsInTheGivenOrder) {
  const uint64_t columns = columnsOf(GetParam().source);
  const std::vector<uint32_t> order = {1, 2, 0, 3, 6, 4, 5};
  const std::vector<std::byte> source = randomTensor(GetParam().source, kRows * columns, 2);
  const std::vector<float> all = decoded(GetParam().source, source, kRows * columns);
  std::vector<float> values(kRows * columns);
  unpack(GetParam().layout, kRows, columns, packed(GetParam(), source, order), values.data());
  for (uint64_t r = 0; r < kRows; ++r)
    EXPECT_TRUE(
        std::equal(values.begin() + r * columns, values.begin() + (r + 1) * columns, all.begin() + order[r] * columns))
        << "row " << r;
}

// Two packings of one tensor are the same bytes, whatever the target held: padding is zero.
TEST_P(PackEach, PaddingIsZero) {
  const uint64_t columns = columnsOf(GetParam().source);
  const std::vector<std::byte> source = randomTensor(GetParam().source, kRows * columns, 3);
  std::vector<std::byte> first = packed(GetParam(), source);
  std::vector<std::byte> second(first.size(), std::byte{0xA5});
  ASSERT_TRUE(pack(GetParam().layout, kRows, columns, {}, GetParam().source, source, second).ok());
  EXPECT_EQ(first, second);
}

TEST_P(PackEach, RefusesATensorOfAnotherSize) {
  const uint64_t columns = columnsOf(GetParam().source);
  std::vector<std::byte> source = randomTensor(GetParam().source, kRows * columns, 4);
  source.pop_back();
  std::vector<std::byte> blob(*packedBytes(GetParam().layout, kRows, columns));
  const Result<void> result = pack(GetParam().layout, kRows, columns, {}, GetParam().source, source, blob);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("bytes, not"));
}

INSTANTIATE_TEST_SUITE_P(Layouts, PackEach, ::testing::ValuesIn(allCases()), [](const auto& info) {
  return std::string(layoutName(info.param.layout)) + "_of_" +
         std::string(formats::tensorTypeInfo(info.param.source).name);
});

// What a weight costs on the device is what it costs in the file, to one part in a hundred; values in another form
// (bf16 as f32, and what becomes s8_planes) are not meant.
TEST(Pack, TakesTheBytesOfTheFile) {
  for (TensorType type : weightTypes()) {
    const WeightLayout layout = *formats::tensorTypeInfo(type).layout;
    const uint64_t stored = tensorBytes(type, 1024 * 4096), bytes = *packedBytes(layout, 1024, 4096);
    if (layout != WeightLayout::kS8Planes && type != TensorType::kBF16) {
      EXPECT_LE(bytes, stored + stored / 100) << layoutName(layout);
    }
  }
  EXPECT_EQ(*packedBytes(WeightLayout::kS8Planes, 1024, 4096), 1024u * 4096 * 5 / 4);
}

// What every kernel relies on, spelled out for a block whose element i is i % 16, in the last of three rows.
TEST(Pack, NibblesOfByteIAreElementsIAndSixteenOn) {
  std::vector<std::byte> source(tensorBytes(TensorType::kQ4_0, 3 * 64));
  const size_t block = source.size() / 6;
  for (int j = 0; j < 16; ++j) source[5 * block + 2 + j] = static_cast<std::byte>(j | (15 - j) << 4);
  std::vector<std::byte> blob(*packedBytes(WeightLayout::kQ4_0Planes, 3, 64));
  ASSERT_TRUE(pack(WeightLayout::kQ4_0Planes, 3, 64, {}, TensorType::kQ4_0, source, blob).ok());
  const size_t secondBlocks = 32 * 16, thirdRow = 2 * 16;
  for (int byte = 0; byte < 16; ++byte) {
    EXPECT_EQ(std::to_integer<int>(blob[secondBlocks + thirdRow + byte]) & 15, byte);
    EXPECT_EQ(std::to_integer<int>(blob[secondBlocks + thirdRow + byte]) >> 4, 15 - byte);
  }
}

TEST(Pack, NibblesInOrderAreFourAndFourOfAWord) {
  std::vector<std::byte> source(tensorBytes(TensorType::kIQ4_NL, 32));
  for (int j = 0; j < 16; ++j) source[2 + j] = static_cast<std::byte>(j | (15 - j) << 4);
  std::vector<std::byte> blob(*packedBytes(WeightLayout::kIQ4_NLPlanes, 1, 32));
  ASSERT_TRUE(pack(WeightLayout::kIQ4_NLPlanes, 1, 32, {}, TensorType::kIQ4_NL, source, blob).ok());
  for (int word = 0; word < 4; ++word)
    for (int nibble = 0; nibble < 8; ++nibble) {
      const int byte = std::to_integer<int>(blob[4 * word + nibble / 2]) >> (nibble % 2 * 4) & 15;
      EXPECT_EQ(byte, nibble < 4 ? 4 * word + nibble : 15 - (4 * word + nibble - 4));
    }
}

// f16: 8 values are a granule, and the same granule of 32 rows lies together.
TEST(Pack, RowsOfATileLieGranuleByGranule) {
  constexpr size_t kRows = 70, kColumns = 64;
  std::vector<uint16_t> source(kRows * kColumns);
  for (size_t i = 0; i < source.size(); ++i) source[i] = static_cast<uint16_t>(i);
  std::vector<std::byte> blob(*packedBytes(WeightLayout::kF16Rows, kRows, kColumns));
  ASSERT_EQ(blob.size(), 96 * kColumns * 2) << "whole tiles";
  ASSERT_TRUE(
      pack(WeightLayout::kF16Rows, kRows, kColumns, {}, TensorType::kF16, std::as_bytes(std::span(source)), blob).ok());
  for (size_t row = 0; row < 96; ++row)
    for (size_t column = 0; column < kColumns; ++column) {
      uint16_t value;
      const size_t granule = row / 32 * (kColumns / 8) + column / 8;
      std::memcpy(&value, blob.data() + (granule * 32 + row % 32) * 16 + column % 8 * 2, 2);
      ASSERT_EQ(value, row < kRows ? row * kColumns + column : 0) << row << " " << column;
    }
}

TEST(Pack, ScalesStartAtAMultipleOf256) {
  EXPECT_EQ(weightScalesOffset(WeightLayout::kQ4_1Planes, 3, 64), 1024u);
  EXPECT_EQ(*packedBytes(WeightLayout::kQ4_1Planes, 3, 64), 1024u + 256u);
  EXPECT_EQ(weightScalesOffset(WeightLayout::kQ4_1Planes, 33, 32), 1024u);
  EXPECT_EQ(weightPlaneOffset(WeightLayout::kTQ2_0Planes, WeightPlane::kSupers, 3, 256), 2048u + 256u)
      << "scales of 64 bytes";
}

TEST(Pack, RefusesColumnsThatAreNoWholeBlocks) {
  const Result<uint64_t> bytes = packedBytes(WeightLayout::kQ8_0Planes, 4, 48);
  ASSERT_FALSE(bytes.ok());
  EXPECT_THAT(bytes.error().message, ::testing::HasSubstr("48 columns"));
}

// rows * columns wraps to a small number.
TEST(Pack, RefusesSizesThatWrap) {
  EXPECT_FALSE(packedBytes(WeightLayout::kF32Rows, uint64_t(1) << 33, uint64_t(1) << 33).ok());
}

TEST(Pack, RefusesALayoutThatWouldChangeValues) {
  std::vector<std::byte> source(64 * 4), blob(*packedBytes(WeightLayout::kF16Rows, 2, 32));
  const Result<void> result = pack(WeightLayout::kF16Rows, 2, 32, {}, TensorType::kF32, source, blob);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("from f32 to f16_rows"));
}

TEST(Pack, LayoutsHaveNames) {
  for (unsigned i = 0; i < kWeightLayouts; ++i)
    EXPECT_EQ(layoutByName(layoutName(static_cast<WeightLayout>(i))), static_cast<WeightLayout>(i));
  EXPECT_EQ(layoutByName("q4_1"), std::nullopt);
}

TEST(Pack, LayoutsHaveAShortNameAndTheirEnumerators) {
  EXPECT_EQ(layoutFormat(WeightLayout::kQ4_1Planes), "q4_1");
  EXPECT_EQ(layoutFormat(WeightLayout::kFp4ShortPlanes), "fp4_short");
  EXPECT_EQ(layoutFormat(WeightLayout::kF16Rows), "f16");
  EXPECT_EQ(layoutEnumerator(WeightLayout::kIQ4_XSPlanes), "kIQ4_XSPlanes");
}

// A block of a hostile file: its f16 scale is infinite, so there are no values to keep.
TEST(Pack, RefusesScalesThatAreNotFinite) {
  std::vector<std::byte> source = randomTensor(TensorType::kIQ2_XS, 512, 1);
  const uint16_t infinity = 0x7c00;
  std::memcpy(source.data() + tensorBytes(TensorType::kIQ2_XS, 256), &infinity, 2);
  std::vector<std::byte> blob(*packedBytes(WeightLayout::kS8Planes, 1, 512));
  const Result<void> result = pack(WeightLayout::kS8Planes, 1, 512, {}, TensorType::kIQ2_XS, source, blob);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(result.error().message, ::testing::HasSubstr("columns 256 to 511"));
}

} // namespace
} // namespace llcuda::pack
