// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/bnb_four_bit.h"

#include <limits>

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "codegen/formats/dequantize.h"
#include "codegen/formats/quantize.h"
#include "tests/compiler/ingest/bnb_file.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;
using enum TensorType;
using testing::HasSubstr;

BnbFourBitParts partsOf(const BnbFile& file, const std::string& layer) {
  const std::string weight = layer + ".weight";
  BnbFourBitParts parts = {.codes = file.find(weight),
                           .absmax = file.find(weight + ".absmax"),
                           .quantMap = file.find(weight + ".quant_map"),
                           .nestedAbsmax = file.find(weight + ".nested_absmax"),
                           .nestedQuantMap = file.find(weight + ".nested_quant_map"),
                           .quantState = file.find(weight + ".quant_state.bitsandbytes__nf4")};
  if (parts.quantState.empty())
    parts.quantState = file.find(weight + ".quant_state.bitsandbytes__fp4");
  return parts;
}

Result<BnbFourBit> openLayer(const BnbFourBitParts& parts) {
  return BnbFourBit::open("layer.weight", parts);
}

std::vector<std::byte> valuesIn(TensorType type, const BnbFourBit& layer) {
  const TensorBytes rows = layer.read().value();
  std::vector<float> values(layer.rows() * layer.columns());
  formats::dequantizeRow(rows.type, rows.bytes.data(), values.size(), values.data());
  std::vector<std::byte> rounded(values.size() * formats::tensorTypeInfo(type).blockBytes);
  formats::quantizeRow(type, values.data(), values.size(), rounded.data());
  return rounded;
}

// Bit for bit what bitsandbytes reads, once rounded to the dtype of the file: every block size, plain and nested, rows
// that are no whole blocks, codes stored as another dtype.
TEST(BnbFourBit, ValuesAreThoseOfBitsandbytes) {
  const BnbFile file;
  size_t compared = 0;
  for (const BnbGolden& golden : bnbGoldens()) {
    if (golden.layer.starts_with("int8"))
      continue;
    const auto layer = openLayer(partsOf(file, golden.layer));
    ASSERT_TRUE(layer) << golden.layer << ": " << layer.error().message;
    EXPECT_EQ(layer->rows(), golden.rows) << golden.layer;
    EXPECT_EQ(layer->columns(), golden.columns) << golden.layer;
    const TensorType dtype = golden.dtype == "float16" ? kF16 : golden.dtype == "bfloat16" ? kBF16 : kF32;
    EXPECT_EQ(hashOf(valuesIn(dtype, *layer)), golden.hash) << golden.layer;
    ++compared;
  }
  EXPECT_EQ(compared, 33u);
}

TEST(BnbFourBit, BlocksAreAsWideAsRowsAllow) {
  const BnbFile file;
  const auto typeOf = [&](const char* layer) { return openLayer(partsOf(file, layer))->type(); };
  EXPECT_EQ(typeOf("nf4_64_nested"), kNf4);
  EXPECT_EQ(typeOf("nf4_32_plain"), kNf4Short);
  EXPECT_EQ(typeOf("half_blocks"), kNf4Short);
  EXPECT_EQ(typeOf("fp4_128_plain"), kFp4);
  EXPECT_EQ(typeOf("fp4_32_plain"), kFp4Short);
  EXPECT_EQ(typeOf("odd_tail"), kF16);
}

/// A copy of a part that a test may change.
struct Changed {
  explicit Changed(std::span<const std::byte> part) : bytes(part.begin(), part.end()) {}
  void setFloat(size_t index, float value) { std::memcpy(bytes.data() + index * sizeof value, &value, sizeof value); }
  std::vector<std::byte> bytes;
};

Changed stateWith(const BnbFourBitParts& parts, const std::string& key, const nlohmann::json& value) {
  const auto* text = reinterpret_cast<const char*>(parts.quantState.data());
  auto state = nlohmann::json::parse(text, text + parts.quantState.size());
  state[key] = value;
  const std::string changed = state.dump();
  return Changed(std::as_bytes(std::span(changed)));
}

class BnbFourBitErrors : public testing::Test {
protected:
  void expectError(ErrorCode code, const std::string& text) const {
    const auto layer = openLayer(parts);
    ASSERT_FALSE(layer);
    EXPECT_EQ(layer.error().code, code);
    EXPECT_THAT(layer.error().message, HasSubstr(text));
  }
  void expectStateError(const std::string& key, const nlohmann::json& value, ErrorCode code, const std::string& text) {
    const Changed state = stateWith(parts, key, value);
    const auto before = parts.quantState;
    parts.quantState = state.bytes;
    expectError(code, text);
    parts.quantState = before;
  }

  BnbFile file;
  BnbFourBitParts parts = partsOf(file, "nf4_64_nested");
};

TEST_F(BnbFourBitErrors, State) {
  using nlohmann::json;
  expectStateError("quant_type", "af4", ErrorCode::kUnsupported, "quant_type is 'af4'");
  expectStateError("blocksize", 48, ErrorCode::kBadInput, "blocksize must be a power of two");
  expectStateError("blocksize", 8192, ErrorCode::kBadInput, "blocksize must be a power of two");
  expectStateError("blocksize", -64, ErrorCode::kBadInput, "blocksize must be a power of two");
  expectStateError("dtype", "float8", ErrorCode::kUnsupported, "dtype is 'float8'");
  expectStateError("shape", json::array({128}), ErrorCode::kBadInput, "not a list of two");
  expectStateError("shape", json::array({0, 64}), ErrorCode::kBadInput, "two positive numbers");
  expectStateError("shape", json::array({uint64_t{1} << 62, 64}), ErrorCode::kBadInput, "two positive numbers");
  expectStateError("shape", json::array({4, 64}), ErrorCode::kBadInput, "the weight has 64 bytes, a matrix of 4x64");
  expectStateError("nested_offset", "no", ErrorCode::kBadInput, "nested magnitudes need nested_blocksize");
  expectStateError("nested_blocksize", 0, ErrorCode::kBadInput, "nested magnitudes need nested_blocksize");
  const std::string deep(100000, '[');
  parts.quantState = std::as_bytes(std::span(deep));
  expectError(ErrorCode::kBadInput, "the quant_state has 100000 bytes");
  parts.quantState = parts.quantState.first(60000);
  expectError(ErrorCode::kBadInput, "the quant_state");
  const std::string number = "7";
  parts.quantState = std::as_bytes(std::span(number));
  expectError(ErrorCode::kBadInput, "the quant_state is not a JSON object");
  parts.quantState = {};
  expectError(ErrorCode::kBadInput, "has no quant_state");
}

TEST_F(BnbFourBitErrors, Sizes) {
  parts.absmax = parts.absmax.first(1);
  expectError(ErrorCode::kBadInput, "absmax has 1 bytes, a matrix of 2x64 with blocksize 64 needs 2");
  parts = partsOf(file, "nf4_64_nested");
  parts.nestedQuantMap = {};
  expectError(ErrorCode::kBadInput, "nested_quant_map has 0 bytes");
  parts = partsOf(file, "nf4_64_nested");
  parts.quantMap = parts.quantMap.first(60);
  expectError(ErrorCode::kBadInput, "quant_map has 60 bytes");
}

TEST_F(BnbFourBitErrors, Codebook) {
  Changed table(parts.quantMap);
  table.setFloat(3, 0.5f);
  parts.quantMap = table.bytes;
  expectError(ErrorCode::kUnsupported, "quant_map[3] is 0.5");
}

TEST_F(BnbFourBitErrors, ScalesThatAreNotNumbers) {
  Changed scales(parts.nestedAbsmax);
  scales.setFloat(0, std::numeric_limits<float>::quiet_NaN());
  parts.nestedAbsmax = scales.bytes;
  const auto read = openLayer(parts)->read();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(read.error().message, HasSubstr("the scale of block 0 is nan"));
}

// Rows that are no whole blocks become values, in f32 where f16 does not reach.
TEST(BnbFourBit, LargeValuesAreWidenedToF32) {
  const BnbFile file;
  BnbFourBitParts parts = partsOf(file, "odd_tail");
  Changed scales(parts.absmax);
  scales.setFloat(1, 1e6f);
  parts.absmax = scales.bytes;
  const auto layer = openLayer(parts);
  EXPECT_TRUE(layer->isWidened());
  EXPECT_EQ(layer->type(), kF32);
}

} // namespace
} // namespace llcuda::ingest
