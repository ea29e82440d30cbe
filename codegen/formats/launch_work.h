// SPDX-License-Identifier: Apache-2.0
// What a launch of a kernel moves and computes. It is stated where the launch is made, travels with it into the engine,
// and is all that profiler and predictor know of it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace llcuda {

/// What the multiply-adds of a launch are made by.
enum class ArithmeticUnit : uint8_t {
  kNone = 0,       ///< it has none that count
  kFp32 = 1,       ///< one at a time
  kDp4a = 2,       ///< four int8 products at a time
  kTensorInt8 = 3, ///< tensor cores
  kTensorF16 = 4,
};

/// Bytes come from, or go to, device memory once; what a launch writes and reads again itself is counted as written.
/// Indices, positions and counters are not counted. Keys stand for keys and values.
struct LaunchWork {
  uint32_t rows = 0;       ///< that the launch has at most, at least 1
  uint32_t window = 0;     ///< keys that a row sees at most; 0: all
  uint64_t fixedBytes = 0; ///< read, however many rows there are: weights, biases, scales
  uint64_t rowRead = 0;    ///< bytes of each row
  uint64_t rowWritten = 0; ///< the same
  uint64_t keyBytes = 0;   ///< read of each cached key that the rows of a sequence see
  uint64_t rowMultiplyAdds = 0;
  uint64_t keyMultiplyAdds = 0; ///< of each row for each key that it sees
  uint64_t expertBytes = 0;     ///< read of each expert that any row chose
  uint32_t experts = 0;         ///< of which each row chose `choices`; 0: the launch knows of none
  uint32_t choices = 0;
  uint32_t tileRows = 0; ///< a block multiplies so many choices of one expert, or fewer; 0: one
  ArithmeticUnit unit = ArithmeticUnit::kNone;

  bool operator==(const LaunchWork&) const = default;
};

/// A step in which a launch takes part: `rows` rows that hold a token, the same number of each of `sequences`
/// sequences.
struct StepRows {
  uint32_t rows = 1;
  uint32_t sequences = 1;
  uint64_t positions = 0; ///< cached ones of all sequences together, the rows' own included
};

/// Cached keys that the rows of a step read, each once.
constexpr uint64_t keysRead(const LaunchWork& work, const StepRows& step) {
  const uint64_t seen = uint64_t{work.window} * step.sequences + (step.rows - step.sequences);
  return work.window == 0 ? step.positions : std::min(step.positions, seen);
}

/// Experts that any of so many rows chose: how many there would be on average if rows chose by themselves and had no
/// favourites.
constexpr double expertsChosen(const LaunchWork& work, uint32_t rows) {
  if (work.experts == 0)
    return 0;
  double passedBy = 1, power = 1 - static_cast<double>(work.choices) / work.experts;
  for (uint32_t left = rows; left != 0; left /= 2, power *= power) passedBy *= left % 2 == 1 ? power : 1;
  return work.experts * (1 - passedBy);
}

/// Tiles in which so many rows' choices are multiplied, likewise: of each expert that is chosen the last is half full.
constexpr double expertTiles(const LaunchWork& work, uint32_t rows) {
  const double chosen = expertsChosen(work, rows), tile = work.tileRows;
  return tile == 0 ? 0 : std::max(chosen, (uint64_t{rows} * work.choices + chosen * (tile - 1) / 2) / tile);
}

/// As many tiles as there can be, however rows choose.
constexpr uint32_t mostExpertTiles(uint32_t rows, uint32_t experts, uint32_t choices, uint32_t tileRows) {
  const uint32_t pairs = rows * choices;
  return (pairs + std::min(pairs, experts) * (tileRows - 1)) / tileRows;
}

/// Bytes that the launch moves in a step.
constexpr uint64_t bytesOf(const LaunchWork& work, const StepRows& step) {
  const uint32_t rows = std::min(step.rows, work.rows);
  return work.fixedBytes + rows * (work.rowRead + work.rowWritten) + keysRead(work, step) * work.keyBytes +
         static_cast<uint64_t>(expertsChosen(work, rows) * static_cast<double>(work.expertBytes));
}

/// Keys that the rows of a step see, each row its own: those of its sequence up to its position, the last of its
/// window.
constexpr uint64_t keysSeen(const LaunchWork& work, const StepRows& step) {
  const uint64_t rows = step.rows / std::max(step.sequences, 1u), last = step.positions / std::max(step.sequences, 1u);
  uint64_t seen = 0; // by the rows of one sequence, the last of which sees `last` keys
  for (uint64_t row = 0; row < rows; ++row) {
    const uint64_t keys = last - std::min(last, row);
    seen += work.window == 0 ? keys : std::min<uint64_t>(keys, work.window);
  }
  return seen * step.sequences;
}

/// Multiply-adds of the launch in a step.
constexpr uint64_t multiplyAddsOf(const LaunchWork& work, const StepRows& step) {
  return std::min(step.rows, work.rows) * work.rowMultiplyAdds + keysSeen(work, step) * work.keyMultiplyAdds;
}

} // namespace llcuda
