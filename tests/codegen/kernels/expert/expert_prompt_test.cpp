// SPDX-License-Identifier: Apache-2.0
// Linears of sorted choices, from the choices to their rows of y: the launches that a prompt makes, one after another.
#include <gtest/gtest.h>

#include "codegen/formats/launch_work.h"
#include "codegen/kernels/expert/expert_glu_prompt.cuh"
#include "codegen/kernels/expert/expert_linear_prompt.cuh"
#include "codegen/kernels/expert/sort_choices.cuh"
#include "codegen/kernels/expert/sorted_rows.cuh"
#include "codegen/reference/glu.h"
#include "tests/codegen/kernels/linear/prompt_testing.h"

namespace llcuda {
namespace {

using namespace testing;

constexpr int kExperts = 5, kChoices = 2;

/// Rows that choose; of row 3 the position is -1. Expert 4 is nobody's.
struct Choices {
  int rows;
  std::vector<int> experts, positions;

  explicit Choices(int rows) : rows(rows), experts(rows * kChoices), positions(rows) {
    for (int r = 0; r < rows; ++r) {
      positions[r] = r == 3 ? -1 : r;
      experts[2 * r] = r * r % 4;
      experts[2 * r + 1] = (r * r + 1 + r % 3) % 4;
    }
  }
  bool isPadding(size_t choice) const { return positions[choice / kChoices] < 0; }
};

/// Choices sorted into tiles of a shape, and rows of x in their order.
template <WeightLayout kLayout, int kInputs, typename Tile, int kRows>
struct Sorted {
  static constexpr int kTiles = mostExpertTiles(kRows, kExperts, kChoices, Tile::kRows);
  static constexpr int kSortedRows = kTiles * Tile::kRows;
  std::vector<int> order = std::vector<int>(kSortedRows), tileExperts = std::vector<int>(kTiles);
  Int8Rows int8{RowOrder::kFragments, kSortedRows, kInputs};
  TestHalfRows halves{kSortedRows, kInputs};

  /// kOf: choices of a row of x.
  template <int kOf>
  void sort(const Choices& choices, const std::vector<float>& x) {
    hostsim::launch({.grid = 1, .block = 64}, [&] {
      sortChoices<SortShape{kRows, kExperts, kChoices, Tile::kRows, kTiles, 2}>(
          choices.experts.data(), choices.positions.data(), order.data(), tileExperts.data());
    });
    if constexpr (weightReadsInt8Rows(kLayout)) {
      constexpr RowsShape kShape = {kSortedRows, kInputs, 128};
      hostsim::launch({.grid = uint32_t(ceilDivide(kSortedRows * kInputs, 16 * 128)), .block = 128},
                      [&] { sortedRows<kShape, kOf>(x.data(), order.data(), int8.codes.data(), int8.scales.data()); });
    } else {
      hostsim::launch({.grid = kSortedRows, .block = 32}, [&] {
        sortedHalfRows<RowShape{kInputs, 32}, kOf>(
            x.data(), order.data(), reinterpret_cast<uint8_t*>(halves.halves.data()), halves.scales.data());
      });
    }
  }

  SortedInput input() const {
    return {{{nullptr, int8.codes.data(), int8.scales.data()},
             {reinterpret_cast<const uint8_t*>(halves.halves.data()), halves.scales.data()},
             kSortedRows},
            tileExperts.data()};
  }
};

/// Of choice c the row of its expert's weight, against double.
std::vector<double> products(const Choices& choices, const std::vector<double>& x, bool each, int inputs, int outputs,
                             const TestWeight& weight, const std::vector<float>& bias) {
  std::vector<double> y(choices.experts.size() * outputs);
  for (size_t c = 0; c < choices.experts.size(); ++c) {
    const size_t row = each ? c : c / kChoices, first = size_t(choices.experts[c]) * outputs;
    reference::linear(x.data() + row * inputs, weight.values.data() + first * inputs,
                      bias.empty() ? nullptr : bias.data() + first, 1, inputs, outputs, y.data() + c * outputs);
  }
  return y;
}

/// Rows of y of choices that are not padding's.
template <typename T>
std::vector<T> withoutPadding(const Choices& choices, const std::vector<T>& y) {
  const size_t columns = y.size() / choices.experts.size();
  std::vector<T> kept;
  for (size_t c = 0; c < choices.experts.size(); ++c)
    if (!choices.isPadding(c))
      kept.insert(kept.end(), y.begin() + c * columns, y.begin() + (c + 1) * columns);
  return kept;
}

template <WeightLayout kLayout, int kInputs, typename Tile, int kRows, bool kEach>
void expectLinear(int outputs, bool biased, const Choices& choices) {
  const TestWeight weight(kLayout, size_t(kExperts) * outputs, kInputs, 11);
  const TestRows x(kEach ? kRows * kChoices : kRows, kInputs, 12);
  const std::vector<float> bias = biased ? normalFloats(size_t(kExperts) * outputs, 13) : std::vector<float>();
  Sorted<kLayout, kInputs, Tile, kRows> sorted;
  sorted.template sort<kEach ? 1 : kChoices>(choices, x.x);
  std::vector<float> y(choices.experts.size() * outputs, 7.f);
  const hostsim::LaunchShape shape{.grid = {uint32_t(sorted.kTiles), uint32_t(ceilDivide(outputs, Tile::kColumns))},
                                   .block = Tile::kThreads};
  hostsim::launch(shape, [&] {
    expertLinearPromptOf<kLayout, kInputs, Tile>(sorted.input(), kExperts, outputs, weight.blob.data(),
                                                 sorted.order.data(), biased ? bias.data() : nullptr, y.data());
  });
  const std::vector<double> wanted = products(choices, x.seenBy(kLayout), kEach, kInputs, outputs, weight, bias);
  EXPECT_LE(nmse(withoutPadding(choices, y), withoutPadding(choices, wanted)), (sameInputError<kLayout, kInputs>()));
  for (size_t c = 0; c < choices.experts.size(); ++c)
    if (choices.isPadding(c)) {
      EXPECT_EQ(y[c * outputs], 7.f) << c;
    }
}

// Outputs that end within a tile, of which the next expert's rows are neighbours; a row for all of its choices, and one
// for each.
TEST(ExpertLinearPrompt, Int8Codes) {
  using Tile = PromptTile<PromptCut{16, 128, 1, 4}>;
  expectLinear<WeightLayout::kQ8_0Planes, 96, Tile, 24, false>(96, false, Choices(24));
  expectLinear<WeightLayout::kQ8_0Planes, 96, Tile, 24, true>(96, false, Choices(24));
  expectLinear<WeightLayout::kMXFP4Planes, 96, Tile, 24, false>(160, true, Choices(24));
}

TEST(ExpertLinearPrompt, TallTiles) {
  expectLinear<WeightLayout::kQ4_KPlanes, 256, PromptTile<PromptCut{64, 128, 1, 4}>, 96, false>(64, false, Choices(96));
  expectLinear<WeightLayout::kQ6_KPlanes, 256, PromptTile<PromptCut{32, 128, 1, 4}>, 24, true>(32, true, Choices(24));
}

TEST(ExpertLinearPrompt, F16) {
  using Tile = PromptTile<PromptCut{32, 128, 1, 4}>;
  expectLinear<WeightLayout::kF16Rows, 96, Tile, 24, false>(96, true, Choices(24));
  expectLinear<WeightLayout::kF16Rows, 96, Tile, 24, true>(64, false, Choices(24));
}

// Tiles whose rows have one expert, and one whose rows all choose it.
TEST(ExpertLinearPrompt, OneExpertForAll) {
  Choices choices(24);
  for (int r = 0; r < 24; ++r) choices.experts[2 * r] = 4, choices.experts[2 * r + 1] = 0;
  expectLinear<WeightLayout::kQ8_0Planes, 96, PromptTile<PromptCut{16, 128, 1, 4}>, 24, false>(96, true, choices);
}

template <WeightLayout kLayout, int kInputs, typename Tile, int kRows, Activation kActivation>
void expectGlu(int outputs, bool biased) {
  const Choices choices(kRows);
  const TestWeight gate(kLayout, size_t(kExperts) * outputs, kInputs, 1),
      up(kLayout, size_t(kExperts) * outputs, kInputs, 2);
  const TestRows x(kRows, kInputs, 3);
  const auto biasOf = [&](uint32_t seed) {
    return biased ? normalFloats(size_t(kExperts) * outputs, seed) : std::vector<float>();
  };
  const std::vector<float> gateBias = biasOf(4), upBias = biasOf(5);
  Sorted<kLayout, kInputs, Tile, kRows> sorted;
  sorted.template sort<kChoices>(choices, x.x);
  const size_t sortedRows = sorted.order.size();
  std::vector<float> y(sortedRows * outputs, 7.f);
  Int8Rows int8{RowOrder::kFragments, sortedRows, size_t(outputs)};
  const hostsim::LaunchShape shape{.grid = {uint32_t(sorted.kTiles), uint32_t(ceilDivide(2 * outputs, Tile::kColumns))},
                                   .block = Tile::kThreads};
  hostsim::launch(shape, [&] {
    expertGluPromptOf<kLayout, kInputs, Tile, kActivation>(
        sorted.input(), kExperts, outputs, gate.blob.data(), up.blob.data(), biased ? gateBias.data() : nullptr,
        biased ? upBias.data() : nullptr,
        RowOutput<RowForms{.f32 = true, .int8 = true, .order = RowOrder::kFragments}>{y.data(), int8.codes.data(),
                                                                                      int8.scales.data()});
  });
  const std::vector<double> seen = x.seenBy(kLayout);
  const std::vector<double> gates = products(choices, seen, false, kInputs, outputs, gate, gateBias);
  const std::vector<double> ups = products(choices, seen, false, kInputs, outputs, up, upBias);
  std::vector<double> inOrder(gates.size()), wanted;
  reference::glu(kActivation, gates.data(), ups.data(), gates.size(), inOrder.data());
  std::vector<float> got, gotCodes;
  for (size_t row = 0; row < sortedRows; ++row) {
    if (sorted.tileExperts[row / Tile::kRows] < 0) {
      EXPECT_EQ(y[row * outputs], 7.f) << "a tile that is nobody's, row " << row;
    }
    if (sorted.order[row] < 0)
      continue;
    for (int c = 0; c < outputs; ++c) {
      got.push_back(y[row * outputs + c]);
      gotCodes.push_back(int8.d(row, c / 32) * static_cast<float>(int8.code(row, c)));
      wanted.push_back(inOrder[size_t(sorted.order[row]) * outputs + c]);
    }
  }
  EXPECT_LE(nmse(got, wanted), hasFourBitTable(kLayout) ? 2 * kLevelsError : kF16Error);
  EXPECT_LE(nmse(gotCodes, wanted), 1e-4);
}

TEST(ExpertGluPrompt, Silu) {
  expectGlu<WeightLayout::kQ4_KPlanes, 256, PromptTile<PromptCut{32, 128, 1, 4}>, 24, Activation::kSilu>(96, false);
  expectGlu<WeightLayout::kF16Rows, 96, PromptTile<PromptCut{16, 128, 1, 4}>, 24, Activation::kSilu>(64, false);
}
// As gpt-oss has it: biases, clamps, weights of four bits.
TEST(ExpertGluPrompt, SwigluOaiWithBiases) {
  expectGlu<WeightLayout::kMXFP4Planes, 96, PromptTile<PromptCut{16, 128, 1, 4}>, 24, Activation::kSwigluOai>(96, true);
}
TEST(ExpertGluPrompt, TallTiles) {
  expectGlu<WeightLayout::kQ8_0Planes, 64, PromptTile<PromptCut{64, 128, 1, 4}>, 96, Activation::kSilu>(32, true);
}

} // namespace
} // namespace llcuda
