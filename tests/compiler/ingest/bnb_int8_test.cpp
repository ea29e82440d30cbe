// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/bnb_int8.h"

#include <cmath>
#include <cstring>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/formats/dequantize.h"
#include "tests/compiler/ingest/bnb_file.h"

namespace llcuda::ingest {
namespace {

using enum formats::TensorType;
using testing::HasSubstr;

BnbInt8Parts partsOf(const BnbFile& file, const std::string& layer, uint64_t rows, uint64_t columns) {
  return {rows, columns, file.find(layer + ".weight"), file.find(layer + ".SCB"), file.find(layer + ".weight_format")};
}

Result<BnbInt8> openLayer(const BnbInt8Parts& parts) {
  return BnbInt8::open("layer.weight", parts);
}

std::vector<float> valuesOf(const BnbInt8Parts& parts) {
  const auto layer = openLayer(parts);
  const TensorBytes rows = layer->read().value();
  std::vector<float> values(parts.rows * parts.columns);
  formats::dequantizeRow(rows.type, rows.bytes.data(), values.size(), values.data());
  return values;
}

float scaleOf(const BnbInt8Parts& parts, uint64_t row) {
  float scale;
  std::memcpy(&scale, parts.scales.data() + row * sizeof scale, sizeof scale);
  return scale;
}

// code * SCB / 127, up to the rounding of a row's scale to f16.
TEST(BnbInt8, ValuesAreCodesTimesTheScaleOfTheirRow) {
  const BnbFile file;
  for (const auto& [name, rows, columns, tolerance] :
       {std::tuple("int8", 7, 64, 0x1p-11f), std::tuple("int8_odd", 3, 20, 0x1p-22f)}) {
    const BnbInt8Parts parts = partsOf(file, name, static_cast<uint64_t>(rows), static_cast<uint64_t>(columns));
    const std::vector<float> values = valuesOf(parts);
    for (size_t i = 0; i < values.size(); ++i) {
      const float code = static_cast<int8_t>(parts.codes[i]);
      const float expected = code * scaleOf(parts, i / parts.columns) / 127;
      ASSERT_LE(std::fabs(values[i] - expected), std::fabs(expected) * tolerance) << name << '[' << i << ']';
    }
  }
}

TEST(BnbInt8, RowsThatAreNoWholeBlocksAreF32) {
  const BnbFile file;
  EXPECT_EQ(openLayer(partsOf(file, "int8", 7, 64))->type(), kQ8_0);
  EXPECT_EQ(openLayer(partsOf(file, "int8_odd", 3, 20))->type(), kF32);
}

TEST(BnbInt8, ScalesOutsideF16AreF32) {
  const BnbFile file;
  BnbInt8Parts parts = partsOf(file, "int8", 7, 64);
  std::vector<std::byte> scales(parts.scales.begin(), parts.scales.end());
  parts.scales = scales;
  const auto setScale = [&](float value) { std::memcpy(scales.data() + 8, &value, sizeof value); };
  setScale(1e-4f);
  EXPECT_EQ(openLayer(parts)->type(), kF32);
  setScale(0);
  EXPECT_EQ(openLayer(parts)->type(), kQ8_0);
  setScale(std::numeric_limits<float>::infinity());
  const auto layer = openLayer(parts);
  ASSERT_FALSE(layer);
  EXPECT_EQ(layer.error().message, "'layer.weight': SCB[2] is not finite");
}

TEST(BnbInt8, Refusals) {
  const BnbFile file;
  BnbInt8Parts parts = partsOf(file, "int8", 7, 64);
  parts.scales = parts.scales.first(24);
  EXPECT_THAT(openLayer(parts).error().message, HasSubstr("SCB has 24 bytes, 7 rows need 28"));
  parts = partsOf(file, "int8", 7, 64);
  parts.rows = 8;
  EXPECT_THAT(openLayer(parts).error().message, HasSubstr("the weight has 448 bytes, 8x64 int8 values need 512"));
  parts = partsOf(file, "int8", 7, 64);
  const std::byte turing{2};
  parts.weightFormat = {&turing, 1};
  EXPECT_EQ(openLayer(parts).error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(openLayer(parts).error().message, HasSubstr("weight_format is 2"));
}

} // namespace
} // namespace llcuda::ingest
