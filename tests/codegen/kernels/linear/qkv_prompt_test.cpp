// SPDX-License-Identifier: Apache-2.0
#include "codegen/kernels/linear/qkv_prompt.cuh"

#include "tests/codegen/kernels/linear/prompt_testing.h"

namespace llcuda {
namespace {

using namespace testing;

std::vector<double> product(const TestWeight& weight, const std::vector<double>& x, const float* bias, int rows,
                            int inputs, int outputs) {
  std::vector<double> y(static_cast<size_t>(rows) * outputs);
  reference::linear<double>(x.data(), weight.values.data(), bias, rows, inputs, outputs, y.data());
  return y;
}

/// q of qOutputs, k and v of kvOutputs, which are no whole tiles, with biases.
template <WeightLayout kQ, WeightLayout kK, WeightLayout kV, int kInputs, typename Tile>
void expectQkv(int rows, int qOutputs, int kvOutputs) {
  const TestWeight qWeight(kQ, qOutputs, kInputs, 1), kWeight(kK, kvOutputs, kInputs, 2),
      vWeight(kV, kvOutputs, kInputs, 3);
  const PromptInput input(rows, kInputs, 4);
  const std::vector<float> qBias = normalFloats(qOutputs, 5), kBias = normalFloats(kvOutputs, 6),
                           vBias = normalFloats(kvOutputs, 7);
  const std::vector<int> positions(rows, 0);
  std::vector<float> q(rows * qOutputs), k(rows * kvOutputs), v(rows * kvOutputs);
  const auto tiles = ceilDivide(qOutputs, Tile::kColumns) + 2 * ceilDivide(kvOutputs, Tile::kColumns);
  hostsim::launch({.grid = {uint32_t(ceilDivide(rows, Tile::kRows)), uint32_t(tiles)}, .block = Tile::kThreads}, [&] {
    qkvPromptOf<QkvWeights{kQ, kK, kV}, kInputs, Tile>(
        {input.rows(), input.halfRows(), rows}, positions.data(),
        {qWeight.blob.data(), {qBias.data(), nullptr, q.data(), qOutputs}},
        {kWeight.blob.data(), {kBias.data(), nullptr, k.data(), kvOutputs}},
        {vWeight.blob.data(), {vBias.data(), nullptr, v.data(), kvOutputs}});
  });
  EXPECT_LE(nmse(q, product(qWeight, input.seenBy(kQ), qBias.data(), rows, kInputs, qOutputs)), kF16Error);
  EXPECT_LE(nmse(k, product(kWeight, input.seenBy(kK), kBias.data(), rows, kInputs, kvOutputs)), kF16Error);
  EXPECT_LE(nmse(v, product(vWeight, input.seenBy(kV), vBias.data(), rows, kInputs, kvOutputs)), kF16Error);
}

// Three layouts, of which one reads f16 rows: each part takes its own code and its own shared memory's shape.
TEST(QkvPrompt, ThreeLayouts) {
  expectQkv<WeightLayout::kQ4_KPlanes, WeightLayout::kF16Rows, WeightLayout::kQ6_KPlanes, 256,
            PromptTile<PromptCut{32, 32, 2, 1}>>(40, 70, 36);
}

// Parts of one layout differ by data alone.
TEST(QkvPrompt, OneLayout) {
  expectQkv<WeightLayout::kQ8_0Planes, WeightLayout::kQ8_0Planes, WeightLayout::kQ8_0Planes, 96,
            PromptTile<PromptCut{16, 32, 1, 1, 4}>>(16, 64, 33);
}

} // namespace
} // namespace llcuda
