// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/linear/qkv_linear.cuh"

#include <gtest/gtest.h>

#include "codegen/reference/linear.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"

namespace llcuda {
namespace {

using namespace testing;

constexpr int kColumns = 96, kQRows = 52, kKvRows = 20;

/// Three encodings; neither q nor k ends with a whole block.
template <int kRows, bool kBias>
void checkThreeEncodings() {
  constexpr auto kQ = WeightLayout::kQ4_1Planes, kK = WeightLayout::kF16Rows, kV = WeightLayout::kQ8_0Planes;
  constexpr DecodeCut kCut = {2, 1};
  const TestWeight weights[] = {{kQ, kQRows, kColumns, 1}, {kK, kKvRows, kColumns, 2}, {kV, kKvRows, kColumns, 3}};
  const TestRows rows(kRows, kColumns, 4);
  const std::vector<float> bias = normalFloats(kQRows + 2, 5);
  std::vector<float> results[] = {std::vector<float>(kRows * kQRows), std::vector<float>(kRows * kKvRows),
                                  std::vector<float>(kRows * kKvRows)};
  constexpr int kBlocks = ceilDivide(kQRows, kDecodeRows) + 2 * ceilDivide(kKvRows, kDecodeRows);
  hostsim::launch({.grid = {kBlocks, 1, 1}, .block = kCut.slices * 32}, [&] {
    qkvLinear<QkvWeights{.q = kQ, .k = kK, .v = kV},
              QkvLinearShape{.m = kRows, .qN = kQRows, .kvN = kKvRows, .k = kColumns}, kCut,
              LinearParts{.bias = kBias}>(weights[0].blob.data(), weights[1].blob.data(), weights[2].blob.data(),
                                          rows.x.data(), rows.few.codes.data(), rows.few.scales.data(), bias.data(),
                                          bias.data() + 1, bias.data() + 2, results[0].data(), results[1].data(),
                                          results[2].data());
  });
  const WeightLayout layouts[] = {kQ, kK, kV};
  for (int part = 0; part < 3; ++part) {
    const int outputs = part == 0 ? kQRows : kKvRows;
    std::vector<double> wanted(kRows * outputs);
    reference::linear(rows.seenBy(layouts[part]).data(), weights[part].values.data(),
                      kBias ? bias.data() + part : nullptr, kRows, kColumns, outputs, wanted.data());
    EXPECT_LE(nmse(results[part], wanted), 1e-11) << "part " << part;
  }
}

TEST(QkvLinear, OneRowOfThreeEncodings) {
  checkThreeEncodings<1, false>();
}

// A row of another input, or the bias of another part, would be far off.
TEST(QkvLinear, ThreeRowsWithBiases) {
  checkThreeEncodings<3, true>();
}

} // namespace
} // namespace llcuda
