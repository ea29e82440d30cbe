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

/// Bytes that the launch moves in a step.
constexpr uint64_t bytesOf(const LaunchWork& work, const StepRows& step) {
  return work.fixedBytes + std::min(step.rows, work.rows) * (work.rowRead + work.rowWritten) +
         keysRead(work, step) * work.keyBytes;
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
