// SPDX-License-Identifier: Apache-2.0
// How closely the logits of a model follow recorded ones, and whether its prompt path and its decode path agree.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace llcuda::reference {

/// One row for each recorded position. Rows stand for each other when they differ by a constant (logits and
/// log-probabilities of one step do), so they are compared less their mean.
using LogitsRows = std::vector<std::vector<double>>;

struct LogitsRecording {
  std::vector<int32_t> tokens;   ///< one sequence
  std::vector<size_t> positions; ///< ascending, of tokens whose successors' logits were recorded
  LogitsRows logits;
};

/// A JSON object with `tokens`, `positions` and `logits`.
Result<LogitsRecording> readLogits(const std::string& path);

struct LogitsAgreement {
  double squaredError = 0;   ///< normalised mean squared error: sum (x - recorded)^2 / sum recorded^2
  double pathDifference = 0; ///< largest |difference| between the two ways; 0 with one
};

struct LogitsBounds {
  double squaredError;
  double pathDifference;
};
inline constexpr LogitsBounds kInterpreterLogits = {1e-6, 0};
/// Of an engine whose rows have so many columns. What int8 rows round averages out over a row, less so over a short
/// one: below 1024 columns the two ways may differ by the root of how much shorter it is.
LogitsBounds engineLogits(uint32_t columns);

/// `ways` are the rows of one model, each computed in another way; the worst of them counts. kBadInput where their
/// sizes are not those of the recording.
Result<LogitsAgreement> compareLogits(const LogitsRecording& recording, const std::vector<LogitsRows>& ways);

/// kSelfCheckFailed, with the figure that misses its bound.
Result<void> checkLogits(const LogitsAgreement& agreement, const LogitsBounds& bounds);

} // namespace llcuda::reference
