// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/half_checkpoint.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/formats/dequantize.h"
#include "codegen/formats/numbers.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;
using ::testing::ElementsAre;

struct Stored {
  TensorInfo info;
  std::vector<uint16_t> values;
};

class MemoryCheckpoint final : public Checkpoint {
public:
  explicit MemoryCheckpoint(std::vector<Stored> given) : stored(std::move(given)) {
    std::vector<TensorInfo> tensors;
    for (const Stored& tensor : stored) tensors.push_back(tensor.info);
    setTensors(std::move(tensors));
  }
  Result<TensorBytes> read(const TensorInfo& tensor) const override {
    for (const Stored& candidate : stored)
      if (candidate.info.name == tensor.name)
        return TensorBytes{candidate.info.type, std::as_bytes(std::span(candidate.values))};
    return internalError("no tensor ", tensor.name);
  }

private:
  const std::vector<Stored> stored;
};

Stored matrix(const char* name, const std::vector<float>& values) {
  Stored tensor{{name, TensorType::kBF16, {values.size() / 2, 2}}, {}};
  for (float v : values) tensor.values.push_back(formats::floatToBf16(v));
  return tensor;
}

std::vector<float> valuesOf(const Checkpoint& checkpoint, const char* name) {
  const TensorInfo& info = *checkpoint.find(name);
  const Result<TensorBytes> bytes = checkpoint.read(info);
  EXPECT_TRUE(bytes.ok());
  EXPECT_EQ(bytes->type, info.type);
  std::vector<float> values(bytes->bytes.size() / formats::tensorTypeInfo(info.type).blockBytes);
  formats::dequantizeRow(info.type, bytes->bytes.data(), values.size(), values.data());
  return values;
}

// 65280 is the largest bf16 below what rounds to infinity; 2^-20 has fewer bits as an f16 but stays.
TEST(HalfCheckpoint, MatricesThatFitBecomeF16) {
  const std::vector<float> values = {1.f, -65280.f, 0.f, 0x1p-20f};
  auto half = HalfCheckpoint::over(std::make_unique<MemoryCheckpoint>(std::vector{matrix("a", values)}));
  ASSERT_TRUE(half.ok());
  EXPECT_EQ((*half)->find("a")->type, TensorType::kF16);
  EXPECT_EQ(valuesOf(**half, "a"), values);
  EXPECT_EQ((*half)->halvedMatrices(), 1u);
}

// One value that f16 lacks keeps the whole matrix; the others are not touched by it.
TEST(HalfCheckpoint, MatricesThatOverflowStay) {
  const std::vector<float> large = {1.f, 2.f, -65536.f, 3.f}, infinite = {1.f, INFINITY, 0.f, 0.f},
                           notANumber = {NAN, 1.f, 1.f, 1.f};
  auto half = HalfCheckpoint::over(std::make_unique<MemoryCheckpoint>(
      std::vector{matrix("large", large), matrix("infinite", infinite), matrix("nan", notANumber),
                  matrix("small", {1.f, 2.f, 3.f, 4.f})}));
  ASSERT_TRUE(half.ok());
  EXPECT_THAT((*half)->keptMatrices(), ElementsAre("large", "infinite", "nan"));
  EXPECT_EQ((*half)->halvedMatrices(), 1u);
  EXPECT_EQ((*half)->find("large")->type, TensorType::kBF16);
  EXPECT_EQ(valuesOf(**half, "large"), large);
}

// Vectors become f32 wherever they go, so nothing may be rounded before.
TEST(HalfCheckpoint, VectorsAndOtherTypesStay) {
  Stored vector = matrix("vector", {1.f, 2.f, 3.f, 4.f});
  vector.info.dims = {4};
  Stored f16 = matrix("f16", {1.f, 2.f, 3.f, 4.f});
  f16.info.type = TensorType::kF16;
  auto half = HalfCheckpoint::over(std::make_unique<MemoryCheckpoint>(std::vector{vector, f16}));
  ASSERT_TRUE(half.ok());
  EXPECT_EQ((*half)->find("vector")->type, TensorType::kBF16);
  EXPECT_EQ((*half)->find("f16")->type, TensorType::kF16);
  EXPECT_EQ((*half)->halvedMatrices(), 0u);
}

} // namespace
} // namespace llcuda::ingest
