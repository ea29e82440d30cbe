// SPDX-License-Identifier: Apache-2.0
// A decode linear against its reference.
#pragma once

#include <gtest/gtest.h>

#include "codegen/kernels/linear/linear.cuh"
#include "codegen/reference/linear.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"

namespace llcuda::testing {

constexpr double kSameInput = 1e-11;     // f32 sums against double
constexpr double kQuantizedInput = 5e-4; // int8 rows against the rows they were made of
constexpr double kFourBitTable = 1e-6;   // f16 table values of nf4 and fp4

template <DecodeCut kCut>
hostsim::LaunchShape linearShape(int outputs) {
  return {.grid = {static_cast<uint32_t>(ceilDivide(outputs, kDecodeRows)), 1, 1}, .block = kCut.slices * 32};
}

/// A layout as the type of a typed test.
template <WeightLayout kLayoutArg>
struct LayoutType {
  static constexpr WeightLayout kLayout = kLayoutArg;
};

/// y = weight . x + bias + residual of `kRows` rows, one block after the other: y may be the residual.
template <WeightLayout kLayout, int kColumns, int kOutputs, int kRows, DecodeCut kCut>
void launchAdding(const TestWeight& weight, const TestRows& rows, const float* bias, const float* residual, float* y) {
  hostsim::Executor oneBlockAtATime(1);
  const Result<void> result = hostsim::tryLaunch(oneBlockAtATime, linearShape<kCut>(kOutputs), [&] {
    linear<kLayout, LinearShape{.m = kRows, .n = kOutputs, .k = kColumns}, kCut,
           LinearParts{.bias = true, .residual = true}>(weight.blob.data(), rows.x.data(), rows.few.codes.data(),
                                                        rows.few.scales.data(), bias, residual, y);
  });
  ASSERT_TRUE(result.ok()) << result.error().message;
}

/// What every product has in common, compiled once.
struct Product {
  TestWeight weight;
  TestRows rows;
  std::vector<float> y;

  Product(WeightLayout layout, int columns, int outputs, int rowCount);
  void check(WeightLayout layout, int columns, int outputs, int rowCount);
};

inline Product::Product(WeightLayout layout, int columns, int outputs, int rowCount)
    : weight(layout, outputs, columns, 1), rows(rowCount, columns, 2),
      // One element more than asked for, to see that nothing is written past the end.
      y(rowCount * outputs + 1, 7.f) {}

inline void Product::check(WeightLayout layout, int columns, int outputs, int rowCount) {
  EXPECT_EQ(y.back(), 7.f);
  y.pop_back();
  std::vector<double> wanted(rowCount * outputs);
  reference::linear(rows.seenBy(layout).data(), weight.values.data(), nullptr, rowCount, columns, outputs,
                    wanted.data());
  EXPECT_LE(nmse(y, wanted), hasFourBitTable(layout) ? kFourBitTable : kSameInput);
  reference::linear(rows.x.data(), weight.values.data(), nullptr, rowCount, columns, outputs, wanted.data());
  EXPECT_LE(nmse(y, wanted), weightReadsInt8Rows(layout) ? kQuantizedInput : kFourBitTable);
}

template <WeightLayout kLayout, int kColumns, int kOutputs, int kRows, DecodeCut kCut>
void expectProduct() {
  Product product(kLayout, kColumns, kOutputs, kRows);
  hostsim::launch(linearShape<kCut>(kOutputs), [&] {
    linear<kLayout, LinearShape{.m = kRows, .n = kOutputs, .k = kColumns}, kCut, LinearParts{}>(
        product.weight.blob.data(), product.rows.x.data(), product.rows.few.codes.data(),
        product.rows.few.scales.data(), nullptr, nullptr, product.y.data());
  });
  product.check(kLayout, kColumns, kOutputs, kRows);
}

} // namespace llcuda::testing
