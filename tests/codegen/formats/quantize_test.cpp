// SPDX-License-Identifier: Apache-2.0
#include "codegen/formats/quantize.h"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/formats/dequantize.h"
#include "codegen/formats/numbers.h"

namespace llcuda::formats {
namespace {

using enum TensorType;
using Values = std::vector<float>;

constexpr size_t kRows = 64, kColumns = 512, kCount = kRows * kColumns;

/// splitmix64, 53 bits; the same numbers as in Inputs/ggml_rmse.py.
double uniform(uint64_t i, uint64_t seed) {
  uint64_t z = seed + (i + 1) * 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return static_cast<double>((z ^ (z >> 31)) >> 11) / 0x1p53;
}

double gaussian(uint64_t i, uint64_t seed) {
  double sum = 0;
  for (uint64_t part = 0; part < 12; ++part) sum += uniform(i, seed + 1000 * part);
  return sum - 6;
}

template <typename Formula>
Values valuesOf(const Formula& formula) {
  Values values(kCount);
  for (size_t i = 0; i < kCount; ++i) values[i] = static_cast<float>(formula(i));
  return values;
}

Values input(const std::string& name) {
  if (name == "gaussian")
    return valuesOf([](size_t i) { return 0.02 * gaussian(i, 1); });
  if (name == "heavy-tailed")
    return valuesOf([](size_t i) { return 0.02 * gaussian(i, 2) / (0.05 + uniform(i, 3)); });
  if (name == "row-varying")
    return valuesOf(
        [](size_t i) { return 0.02 * gaussian(i, 4) * std::exp2(static_cast<double>(i / kColumns % 8) - 4); });
  return valuesOf([](size_t i) { return 0.5 + uniform(i, 5); });
}

std::vector<std::byte> encoded(TensorType type, const Values& values) {
  const TensorTypeInfo& info = tensorTypeInfo(type);
  std::vector<std::byte> blocks(values.size() / info.blockElements * info.blockBytes);
  quantizeRow(type, values.data(), values.size(), blocks.data());
  return blocks;
}

Values decoded(TensorType type, const std::vector<std::byte>& blocks, size_t count) {
  Values values(count);
  dequantizeRow(type, blocks.data(), count, values.data());
  return values;
}

Values roundTrip(TensorType type, const Values& values) {
  return decoded(type, encoded(type, values), values.size());
}

double rmse(TensorType type, const Values& values) {
  const Values back = roundTrip(type, values);
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) sum += std::pow(static_cast<double>(back[i]) - values[i], 2);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

double squares(const Values& values, const Values& other, size_t phase) {
  double sum = 0;
  for (size_t i = phase; i < values.size(); i += 4) sum += std::pow(static_cast<double>(values[i]) - other[i], 2);
  return sum;
}

constexpr TensorType kGgmlTypes[] = {kQ8_0, kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ4_K, kQ5_K, kQ6_K};

// The errors of ggml_quantize_chunk over the same values, by Inputs/ggml_rmse.py, in the order of kGgmlTypes.
const std::map<std::string, std::vector<double>> kGgmlErrors = {
    {"gaussian", {0.00010587, 0.00169551, 0.00155129, 0.000845454, 0.000746752, 0.00141759, 0.000713624, 0.000352133}},
    {"heavy-tailed", {0.000779196, 0.0120813, 0.00949661, 0.00620125, 0.00457988, 0.00879899, 0.00445268, 0.00241186}},
    {"row-varying", {0.000340186, 0.00542394, 0.00492455, 0.00268729, 0.00242151, 0.00451377, 0.00228882, 0.00112723}},
    {"one-sided", {0.00329492, 0.0513588, 0.01757, 0.0262622, 0.00849464, 0.0253451, 0.0125511, 0.0112497}},
};

// Squared errors are at most 1 % above ggml's, where scales are searched; else they are the same numbers.
TEST(Quantize, ErrorIsThatOfGgml) {
  for (const auto& [name, errors] : kGgmlErrors) {
    const Values values = input(name);
    for (size_t t = 0; t < errors.size(); ++t) {
      const bool searched = kGgmlTypes[t] == kQ4_K || kGgmlTypes[t] == kQ5_K || kGgmlTypes[t] == kQ6_K;
      const double ratio = rmse(kGgmlTypes[t], values) / errors[t];
      EXPECT_LT(ratio, searched ? 1.005 : 1.00001) << name << " as " << tensorTypeInfo(kGgmlTypes[t]).name;
      EXPECT_GT(ratio, searched ? 0.95 : 0.99999) << name << " as " << tensorTypeInfo(kGgmlTypes[t]).name;
    }
  }
}

// Columns that count a hundred times as much come out closer, at the others' cost; the same weight for all is none
// too little.
TEST(Quantize, ImportantElementsLoseLess) {
  const Values values = input("gaussian");
  Values heavy(values.size(), 1.f), even(values.size(), 1.f);
  for (size_t i = 0; i < heavy.size(); i += 4) heavy[i] = 100;
  for (const TensorType type : kGgmlTypes) {
    const TensorTypeInfo& info = tensorTypeInfo(type);
    std::vector<std::byte> blocks(values.size() / info.blockElements * info.blockBytes), plain = blocks;
    quantizeRow(type, values.data(), values.size(), blocks.data(), heavy.data());
    const Values back = decoded(type, blocks, values.size());
    if (!heedsImportance(type)) {
      EXPECT_EQ(blocks, encoded(type, values)) << info.name;
      continue;
    }
    EXPECT_LT(squares(values, back, 0), 0.9 * squares(values, roundTrip(type, values), 0)) << info.name;
    EXPECT_LT(squares(values, back, 0), 0.9 * squares(values, back, 1)) << info.name;
    quantizeRow(type, values.data(), values.size(), plain.data(), even.data());
    EXPECT_LT(squares(values, decoded(type, plain, values.size()), 1),
              1.05 * squares(values, roundTrip(type, values), 1))
        << info.name;
  }
  EXPECT_TRUE(heedsImportance(kQ4_K));
  EXPECT_FALSE(heedsImportance(kQ8_0));
}

// A block whose elements count nothing has no least error, and values all the same.
TEST(Quantize, NothingOfImportanceStaysFinite) {
  const Values values = input("gaussian"), nothing(values.size(), 0.f);
  for (const TensorType type : kGgmlTypes) {
    const TensorTypeInfo& info = tensorTypeInfo(type);
    std::vector<std::byte> blocks(values.size() / info.blockElements * info.blockBytes);
    quantizeRow(type, values.data(), values.size(), blocks.data(), nothing.data());
    for (const float value : decoded(type, blocks, values.size())) ASSERT_TRUE(std::isfinite(value)) << info.name;
  }
}

// The error of NF4 for normal values of spread s in blocks of 64 is 0.095 s; that of FP4, which has fewer values near
// the middle, is larger.
TEST(Quantize, FourBitTablesTakeTheNearestValue) {
  const Values values = input("gaussian");
  EXPECT_NEAR(rmse(kNf4, values) / 0.02, 0.091, 0.006);
  EXPECT_LT(rmse(kNf4Short, values), rmse(kNf4, values));
  EXPECT_GT(rmse(kFp4, values), rmse(kNf4, values));
}

// What an encoding can say exactly stays: quantising twice is quantising once.
TEST(Quantize, StoredValuesStay) {
  const Values values = input("heavy-tailed");
  for (const TensorType type : {kQ8_0, kQ4_0, kQ5_0, kNf4, kNf4Short, kFp4, kF16, kBF16, kF32}) {
    const Values once = roundTrip(type, values);
    EXPECT_EQ(roundTrip(type, once), once) << tensorTypeInfo(type).name;
  }
}

// Scales of zero: no division by them, no value that is not a number.
TEST(Quantize, ZerosStayZeros) {
  const Values zeros(kColumns, 0.f);
  for (uint32_t number = 0; number < 1100; ++number)
    if (const TensorTypeInfo* info = findTensorType(number); info && canQuantize(info->type)) {
      EXPECT_EQ(roundTrip(info->type, zeros), zeros) << info->name;
    }
}

// Values so small that a scale in f16 is rounded to zero, and the largest that the encoding takes.
TEST(Quantize, EndsOfTheRangeStayFinite) {
  for (const float magnitude : {1e-38f, 1e-30f, 1e-9f, 1e-7f, 60000.f, 65504.f}) {
    Values values(kColumns);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = magnitude * static_cast<float>(static_cast<int>(i % 7) - 3) / 3;
    for (const TensorType type : {kF16, kQ8_0, kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ4_K, kQ5_K, kQ6_K, kNf4, kFp4})
      for (const float value : roundTrip(type, values)) {
        ASSERT_TRUE(std::isfinite(value)) << tensorTypeInfo(type).name << " at " << magnitude;
        ASSERT_LE(std::fabs(value), magnitude * 1.2 + 1e-6) << tensorTypeInfo(type).name << " at " << magnitude;
      }
  }
}

// The bytes are part of an engine's bytes, which are the same on every machine.
TEST(Quantize, BytesAreFixed) {
  const std::map<TensorType, uint64_t> hashes = {
      {kQ4_0, 0x1F749B33E363CC85}, {kQ4_1, 0xF09FCFD65BC7B099}, {kQ5_0, 0xE811F3EFB846B111},
      {kQ5_1, 0xDD5520051655363A}, {kQ8_0, 0xF6772465A1EF84CE}, {kQ4_K, 0x8A8B777CA9789E71},
      {kQ5_K, 0xB50D53DD60C76343}, {kQ6_K, 0xF7ED7569AF882C88}, {kNf4, 0xCA23E551EAC76F56}};
  const Values values = input("heavy-tailed");
  for (const auto& [type, expected] : hashes) {
    uint64_t hash = 0xCBF29CE484222325;
    for (const std::byte byte : encoded(type, values)) hash = (hash ^ static_cast<uint64_t>(byte)) * 0x100000001B3;
    EXPECT_EQ(hash, expected) << tensorTypeInfo(type).name;
  }
}

TEST(Quantize, KnowsWhatItCanWrite) {
  EXPECT_TRUE(canQuantize(kQ4_K));
  EXPECT_FALSE(canQuantize(kQ2_K));
  EXPECT_FALSE(canQuantize(kIQ4_XS));
  EXPECT_EQ(largestMagnitude(kQ8_0), 65504.f);
  EXPECT_GT(largestMagnitude(kNf4), 1e38f);
}

} // namespace
} // namespace llcuda::formats
