// SPDX-License-Identifier: Apache-2.0
// How closely a model follows recorded answers when it is given the recorded tokens step by step (teacher forcing).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/result.h"

namespace llcuda::reference {

/// One recorded step: the token that was chosen, its log-probability, and how far ahead of the next it was.
struct OracleStep {
  int32_t token = 0;
  double logProbability = 0;
  double margin = 0;
};

struct OracleCase {
  std::vector<int32_t> prompt;
  std::vector<int32_t> tokens;                  ///< chosen one after the other
  std::vector<std::optional<OracleStep>> steps; ///< one for each of `tokens`; empty where nothing was recorded
};

/// A JSON object with `cases`: each has `prompt_tokens`, `tokens` and `top`, for each token null or pairs [id,
/// log-probability], the chosen token first.
Result<std::vector<OracleCase>> readOracle(const std::string& path);

/// What the model under test says at one step: its best token, and the log-probability of the recorded one.
struct StepScore {
  int32_t best = 0;
  double logProbability = 0;
};

/// Scores of each of `tokens`, given the prompt and the tokens before it.
using ScoreCase =
    std::function<Result<std::vector<StepScore>>(std::span<const int32_t> prompt, std::span<const int32_t> tokens)>;

struct Agreement {
  size_t steps = 0;          ///< that were recorded
  size_t otherBest = 0;      ///< steps with another best token
  double largestMargin = 0;  ///< of those, the recorded margin
  double meanDifference = 0; ///< mean |difference| of the recorded token's log-probability
};

struct AgreementBounds {
  double margin;         ///< no other best token from this margin on
  double otherBestShare; ///< of all steps
  double meanDifference;
};
inline constexpr AgreementBounds kInterpreterBounds = {0.02, 1, 0.002};
inline constexpr AgreementBounds kEngineBounds = {0.5, 0.05, 0.05};

Result<Agreement> measureAgreement(const std::vector<OracleCase>& cases, const ScoreCase& score);

/// kSelfCheckFailed, with the figure that misses its bound.
Result<void> checkAgreement(const Agreement& agreement, const AgreementBounds& bounds);

} // namespace llcuda::reference
