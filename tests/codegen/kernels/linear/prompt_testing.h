// SPDX-License-Identifier: Apache-2.0
// A linear of tensor cores on hostsim, beside its reference.
#pragma once

#include <gtest/gtest.h>

#include "codegen/kernels/linear/linear_prompt.cuh"
#include "codegen/reference/linear.h"
#include "runtime/hostsim/launch.h"
#include "tests/codegen/kernels/decode_testing.h"
#include "tests/codegen/kernels/half_rows.h"

namespace llcuda::testing {

enum class Epilogue { kNone, kBias, kResidual, kBoth };

/// Rows as linears of many rows read them.
struct PromptInput : TestRows {
  Int8Rows int8 = fragments();
  TestHalfRows halves{x, columns};

  using TestRows::TestRows;
  InputRows rows() const { return {x.data(), int8.codes.data(), int8.scales.data()}; }
  HalfRows halfRows() const { return {reinterpret_cast<const uint8_t*>(halves.halves.data()), halves.scales.data()}; }
};

/// Of the kernel against the double reference, with the input rows as the layout reads them, and with the f32 rows.
struct PromptErrors {
  double sameInput, wholeLinear;
};

/// Rows and outputs are variables, so that a layout and tile are compiled once for all their tests.
template <WeightLayout kLayout, int kInputs, typename Tile>
struct PromptLinear {
  int rows, outputs;
  TestWeight weight{kLayout, static_cast<size_t>(outputs), kInputs, 11};
  PromptInput input{static_cast<size_t>(rows), kInputs, 12};
  std::vector<float> bias = normalFloats(outputs, 13), y = normalFloats(static_cast<size_t>(rows) * outputs, 14);
  std::vector<int> positions = std::vector<int>(rows, 0);

  [[gnu::noinline]] void launch(Epilogue epilogue) {
    const bool biased = epilogue == Epilogue::kBias || epilogue == Epilogue::kBoth;
    const bool added = epilogue == Epilogue::kResidual || epilogue == Epilogue::kBoth;
    const hostsim::LaunchShape shape{
        .grid = {uint32_t(ceilDivide(rows, Tile::kRows)), uint32_t(ceilDivide(outputs, Tile::kColumns))},
        .block = Tile::kThreads};
    hostsim::launch(shape, [&] {
      linearPromptOf<kLayout, kInputs, Tile>(rows, outputs, weight.blob.data(), input.rows(), input.halfRows(),
                                             positions.data(), biased ? bias.data() : nullptr,
                                             added ? y.data() : nullptr, y.data());
    });
  }

  std::vector<double> reference(Epilogue epilogue, const std::vector<double>& x) const {
    const bool biased = epilogue == Epilogue::kBias || epilogue == Epilogue::kBoth;
    std::vector<double> wanted(y.size());
    reference::linear<double>(x.data(), weight.values.data(), biased ? bias.data() : nullptr, rows, kInputs, outputs,
                              wanted.data());
    if (epilogue == Epilogue::kResidual || epilogue == Epilogue::kBoth)
      for (size_t i = 0; i < y.size(); ++i) wanted[i] += y[i];
    return wanted;
  }

  PromptErrors errors(Epilogue epilogue = Epilogue::kNone) {
    const std::vector<double> same = reference(epilogue, input.seenBy(kLayout));
    const std::vector<double> whole = reference(epilogue, {input.x.begin(), input.x.end()});
    launch(epilogue);
    return {nmse(y, same), nmse(y, whole)};
  }
};

constexpr double kF32Error = 1e-11;   ///< products are exact
constexpr double kHalvesError = 1e-7; ///< products of 16 weights are rounded to half a product of codes
constexpr double kF16Error = 1e-6;    ///< x is rounded to f16
constexpr double kLevelsError =
    2e-5;                           ///< tables of four-bit weights are int8 levels: 1.1e-5 where codes are as frequent
constexpr double kInt8Error = 5e-4; ///< x is quantised

template <WeightLayout kLayout, int kInputs>
constexpr double sameInputError() {
  if constexpr (kLayout == WeightLayout::kF32Rows)
    return kF32Error;
  else if constexpr (!weightHasInt8Codes(kLayout))
    return kF16Error;
  else
    return hasFourBitTable(kLayout)                           ? kLevelsError
           : WeightTraits<kLayout, kInputs>::kScaleStep == 16 ? kHalvesError
                                                              : kF32Error;
}

template <WeightLayout kLayout, int kInputs, typename Tile>
void expectPromptLinear(int rows, int outputs, Epilogue epilogue = Epilogue::kNone) {
  const PromptErrors errors = PromptLinear<kLayout, kInputs, Tile>{rows, outputs}.errors(epilogue);
  const bool int8 = weightReadsInt8Rows(kLayout), f32 = kLayout == WeightLayout::kF32Rows;
  SCOPED_TRACE(std::to_string(rows) + " rows, " + std::to_string(outputs) + " outputs");
  EXPECT_LE(errors.sameInput, (sameInputError<kLayout, kInputs>()));
  EXPECT_LE(errors.wholeLinear, f32 ? kF32Error : int8 ? kInt8Error : kF16Error);
}

} // namespace llcuda::testing
