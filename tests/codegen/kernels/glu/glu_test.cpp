// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/glu/glu.cuh"

#include <gtest/gtest.h>

#include "codegen/kernels/glu/activate.cuh"
#include "codegen/kernels/glu/glu_linear.cuh"
#include "codegen/kernels/glu/linear_glu.cuh"
#include "codegen/reference/glu.h"
#include "codegen/reference/linear.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"

namespace llcuda {
namespace {

using namespace testing;

template <Activation kActivation, RowOrder kOrder, int kRows>
void expectGlu() {
  constexpr int kFours = kRows * 96 / 4, kThreads = 64; // do not fill the last block
  const std::vector<float> gate = normalFloats(4 * kFours, 1, 4.f), up = normalFloats(4 * kFours, 2);
  std::vector<float> y(4 * kFours);
  Int8Rows int8(kOrder, kRows, 96);
  const size_t each = elementsOfThread(kOrder) * kThreads, blocks = (int8.codes.size() + each - 1) / each;
  hostsim::launch({.grid = {static_cast<uint32_t>(blocks), 1, 1}, .block = kThreads}, [&] {
    glu<RowsShape{.rows = kRows, .columns = 96, .threads = kThreads}, kActivation,
        RowForms{.f32 = true, .int8 = true, .order = kOrder}>(gate.data(), up.data(), y.data(), int8.codes.data(),
                                                              int8.scales.data());
  });
  std::vector<double> wanted(4 * kFours);
  reference::glu(kActivation, gate.data(), up.data(), wanted.size(), wanted.data());
  EXPECT_LE(nmse(y, wanted), 1e-12);
  EXPECT_LE(nmse(int8.values(), wanted), 1e-4);
  EXPECT_TRUE(int8.areConsistent());
}

TEST(Glu, Silu) {
  expectGlu<Activation::kSilu, RowOrder::kRows, 3>();
}
TEST(Glu, GeluTanh) {
  expectGlu<Activation::kGeluTanh, RowOrder::kRows, 3>();
}
// Some of the gates and ups are past the bounds.
TEST(Glu, SwigluOai) {
  expectGlu<Activation::kSwigluOai, RowOrder::kRows, 3>();
}
TEST(Glu, Sigmoid) {
  expectGlu<Activation::kSigmoid, RowOrder::kRows, 3>();
}
TEST(Glu, GeluErf) {
  expectGlu<Activation::kGeluErf, RowOrder::kRows, 3>();
}

/// Columns `view` of wider rows, of every group from column `first` on.
std::vector<float> seenBy(const RowView& view, int first, const std::vector<float>& wide) {
  std::vector<float> rows;
  for (size_t i = 0; i < wide.size(); ++i) {
    const int at = static_cast<int>(i) % view.columns % view.group;
    if (at >= first && at < first + view.count)
      rows.push_back(wide[i]);
  }
  return rows;
}

// The gate is the second of every two heads, up the last columns of a row.
TEST(Glu, SomeColumnsOfWiderRows) {
  constexpr RowView kGate = {.columns = 192, .group = 64, .count = 32};
  constexpr RowView kUp = {.columns = 288, .group = 288, .count = 96};
  const std::vector<float> gate = normalFloats(3 * 192, 1, 4.f), up = normalFloats(3 * 288, 2);
  std::vector<float> y(3 * 96);
  hostsim::launch({.grid = {2, 1, 1}, .block = 64}, [&] {
    glu<RowsShape{.rows = 3, .columns = 96, .threads = 64}, Activation::kSigmoid, RowForms{.f32 = true}, kGate, kUp>(
        gate.data() + 32, up.data() + 192, y.data(), nullptr, nullptr);
  });
  const std::vector<float> gates = seenBy(kGate, 32, gate), ups = seenBy(kUp, 192, up);
  std::vector<double> wanted(y.size());
  reference::glu(Activation::kSigmoid, gates.data(), ups.data(), wanted.size(), wanted.data());
  EXPECT_LE(nmse(y, wanted), 1e-12);
}

template <int kRows, RowView kUp, int kFirst = 0>
void expectGatedRows() {
  constexpr int kColumns = 160, kOutputs = 96;
  constexpr auto kLayout = WeightLayout::kQ4_1Planes;
  constexpr DecodeCut kCut = {2, 2};
  const TestWeight weight(kLayout, kOutputs, kColumns, 1);
  const TestRows rows(kRows, kColumns, 2);
  const std::vector<float> up = normalFloats(kRows * (kUp.columns == 0 ? kOutputs : kUp.columns), 3);
  std::vector<float> y(kRows * kOutputs);
  Int8Rows int8(fewRowsOrder(kRows), kRows, kOutputs);
  hostsim::launch({.grid = {kOutputs / kDecodeRows, 1, 1}, .block = kCut.slices * 32}, [&] {
    linearGlu<kLayout, LinearShape{.m = kRows, .n = kOutputs, .k = kColumns}, kCut, Activation::kGeluTanh, kUp,
              RowForms{.f32 = true, .int8 = true, .order = fewRowsOrder(kRows)}>(
        weight.blob.data(), nullptr, rows.few.codes.data(), rows.few.scales.data(), up.data() + kFirst, y.data(),
        int8.codes.data(), int8.scales.data());
  });
  std::vector<double> product(y.size()), wanted(y.size());
  reference::linear(rows.seenBy(kLayout).data(), weight.values.data(), nullptr, kRows, kColumns, kOutputs,
                    product.data());
  const std::vector<float> gates(product.begin(), product.end()), ups = kUp.columns == 0 ? up : seenBy(kUp, kFirst, up);
  reference::glu(Activation::kGeluTanh, gates.data(), ups.data(), wanted.size(), wanted.data());
  EXPECT_LE(nmse(y, wanted), 1e-10);
  EXPECT_LE(nmse(int8.values(), wanted), 1e-4);
  EXPECT_TRUE(int8.areConsistent());
}

// The product gates rows, or some columns of wider ones.
TEST(LinearGlu, AgreesWithTheReference) {
  expectGatedRows<1, RowView{}>();
  expectGatedRows<1, RowView{.columns = 288, .group = 288, .count = 96}, 96>();
  expectGatedRows<5, RowView{.columns = 288, .group = 96, .count = 32}, 64>();
}

template <Activation kActivation, RowOrder kOrder, int kRows>
void expectActivated() {
  constexpr int kThreads = 64;
  const std::vector<float> x = normalFloats(kRows * 96, 3, 4.f);
  std::vector<float> y(x.size());
  Int8Rows int8(kOrder, kRows, 96);
  const size_t each = elementsOfThread(kOrder) * kThreads, blocks = (int8.codes.size() + each - 1) / each;
  hostsim::launch({.grid = {static_cast<uint32_t>(blocks), 1, 1}, .block = kThreads}, [&] {
    activateRows<RowsShape{.rows = kRows, .columns = 96, .threads = kThreads}, kActivation,
                 RowForms{.f32 = true, .int8 = true, .order = kOrder}>(x.data(), y.data(), int8.codes.data(),
                                                                       int8.scales.data());
  });
  std::vector<double> wanted(x.size());
  for (size_t i = 0; i < x.size(); ++i) wanted[i] = reference::activate<double>(kActivation, x[i]);
  EXPECT_LE(nmse(y, wanted), 1e-12);
  EXPECT_LE(nmse(int8.values(), wanted), 1e-4);
  EXPECT_TRUE(int8.areConsistent());
}

// Units that nothing gates.
TEST(Activate, AgreesWithTheReference) {
  expectActivated<Activation::kGeluErf, RowOrder::kRows, 3>();
  expectActivated<Activation::kTanh, RowOrder::kRows, 3>();
  expectActivated<Activation::kGeluErf, RowOrder::kFragments, 19>();
}

// Far from zero the function is the identity or nothing, and never NaN.
TEST(Activate, LargeValues) {
  const std::vector<float> x = {-1e30f, -1000.f, -6.f, 0.f, 6.f, 1000.f, 1e30f, -0.f};
  std::vector<float> all(32), y(32);
  for (size_t i = 0; i < all.size(); ++i) all[i] = x[i % 8];
  hostsim::launch({.grid = {1, 1, 1}, .block = 32}, [&] {
    activateRows<RowsShape{.rows = 1, .columns = 32, .threads = 32}, Activation::kGeluErf, RowForms{.f32 = true}>(
        all.data(), y.data(), nullptr, nullptr);
  });
  for (size_t i = 0; i < all.size(); ++i) EXPECT_NEAR(y[i], std::max(all[i], 0.f), 1e-5f) << "of " << all[i];
}

TEST(Glu, RowsForTensorCores) {
  expectGlu<Activation::kSilu, RowOrder::kFragments, 19>();
  expectGlu<Activation::kSilu, RowOrder::kEightRows, 5>();
}

// Gates far from zero: the exponential overflows or vanishes, the product must not be NaN.
TEST(Glu, LargeGates) {
  const std::vector<float> gate = {-1000.f, -100.f, 100.f, 1000.f};
  std::vector<float> all(32), up(32, 1.f), y(32);
  for (size_t i = 0; i < all.size(); ++i) all[i] = gate[i % 4];
  hostsim::launch({.grid = {1, 1, 1}, .block = 32}, [&] {
    glu<RowsShape{.rows = 1, .columns = 32, .threads = 32}, Activation::kSilu, RowForms{.f32 = true}>(
        all.data(), up.data(), y.data(), nullptr, nullptr);
  });
  EXPECT_FLOAT_EQ(y[0], 0.f);
  EXPECT_FLOAT_EQ(y[1], 0.f);
  EXPECT_FLOAT_EQ(y[2], 100.f);
  EXPECT_FLOAT_EQ(y[3], 1000.f);
}

template <WeightLayout kGate, WeightLayout kUp, int kColumns, int kOutputs, int kRows, DecodeCut kCut>
void expectGluLinear() {
  const TestWeight gate(kGate, kOutputs, kColumns, 1), up(kUp, kOutputs, kColumns, 2);
  const TestRows rows(kRows, kColumns, 3);
  std::vector<float> y(kRows * kOutputs);
  Int8Rows int8(fewRowsOrder(kRows), kRows, kOutputs);
  hostsim::launch({.grid = {ceilDivide(kOutputs, kDecodeRows), 1, 1}, .block = 2 * kCut.slices * 32}, [&] {
    gluLinear<GluWeights{.gate = kGate, .up = kUp}, LinearShape{.m = kRows, .n = kOutputs, .k = kColumns}, kCut,
              Activation::kSilu, RowForms{.f32 = true, .int8 = true, .order = fewRowsOrder(kRows)}>(
        gate.blob.data(), up.blob.data(), rows.x.data(), rows.few.codes.data(), rows.few.scales.data(), y.data(),
        int8.codes.data(), int8.scales.data());
  });
  std::vector<double> gates(kRows * kOutputs), ups(kRows * kOutputs), wanted(kRows * kOutputs);
  reference::linear(rows.seenBy(kGate).data(), gate.values.data(), nullptr, kRows, kColumns, kOutputs, gates.data());
  reference::linear(rows.seenBy(kUp).data(), up.values.data(), nullptr, kRows, kColumns, kOutputs, ups.data());
  reference::glu(Activation::kSilu, gates.data(), ups.data(), wanted.size(), wanted.data());
  EXPECT_LE(nmse(y, wanted), 1e-10);
  EXPECT_LE(nmse(int8.values(), wanted), 1e-4);
  EXPECT_TRUE(int8.areConsistent());
}

TEST(GluLinear, OneRow) {
  expectGluLinear<WeightLayout::kQ4_1Planes, WeightLayout::kQ4_1Planes, 576, 96, 1, DecodeCut{6, 2}>();
}

TEST(GluLinear, TwoRows) {
  expectGluLinear<WeightLayout::kQ4_0Planes, WeightLayout::kQ4_0Planes, 64, 96, 2, DecodeCut{2, 1}>();
}

TEST(GluLinear, ThreeRows) {
  expectGluLinear<WeightLayout::kQ8_0Planes, WeightLayout::kQ8_0Planes, 96, 96, 3, DecodeCut{3, 1}>();
}

TEST(GluLinear, TwoEncodings) {
  expectGluLinear<WeightLayout::kQ8_0Planes, WeightLayout::kF16Rows, 128, 32, 4, DecodeCut{4, 2}>();
}

TEST(GluLinear, EightRows) {
  expectGluLinear<WeightLayout::kQ8_0Planes, WeightLayout::kQ8_0Planes, 96, 64, 8, DecodeCut{1, 4}>();
}

} // namespace
} // namespace llcuda
