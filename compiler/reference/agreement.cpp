// SPDX-License-Identifier: Apache-2.0
#include "compiler/reference/agreement.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "runtime/base/regular_file.h"

namespace llcuda::reference {
namespace {

using nlohmann::json;

// json::at and get throw on other shapes than these; readOracle turns that into an error.
OracleCase parseCase(const json& object) {
  OracleCase result;
  result.prompt = object.at("prompt_tokens").get<std::vector<int32_t>>();
  result.tokens = object.at("tokens").get<std::vector<int32_t>>();
  const json& top = object.at("top");
  for (size_t i = 0; i < result.tokens.size(); ++i) {
    const json& step = top.at(i);
    const auto known = [&](size_t rank) {
      return step.size() > rank && step[rank].is_array() && step[rank].at(1).is_number();
    };
    if (!step.is_array() || !known(0) || !known(1) || step[0].at(0).get<int32_t>() != result.tokens[i]) {
      result.steps.emplace_back();
      continue;
    }
    const double best = step[0].at(1).get<double>();
    result.steps.push_back(OracleStep{result.tokens[i], best, best - step[1].at(1).get<double>()});
  }
  return result;
}

} // namespace

Result<std::vector<OracleCase>> readOracle(const std::string& path) {
  LLCUDA_ASSIGN_OR_RETURN(const std::string text, readFile(path));
  try {
    std::vector<OracleCase> cases;
    const json recording = json::parse(text);
    for (const json& object : recording.at("cases")) cases.push_back(parseCase(object));
    if (cases.empty())
      return badInput(path, " has no cases");
    return cases;
  } catch (const json::exception& error) {
    return badInput(path, " is not a recording of answers: ", error.what());
  }
}

Result<Agreement> measureAgreement(const std::vector<OracleCase>& cases, const ScoreCase& score) {
  Agreement result;
  for (const OracleCase& recorded : cases) {
    LLCUDA_ASSIGN_OR_RETURN(const std::vector<StepScore> scores, score(recorded.prompt, recorded.tokens));
    for (size_t i = 0; i < recorded.steps.size(); ++i) {
      if (!recorded.steps[i])
        continue;
      const OracleStep& truth = *recorded.steps[i];
      ++result.steps;
      result.meanDifference += std::fabs(scores[i].logProbability - truth.logProbability);
      if (scores[i].best != truth.token) {
        ++result.otherBest;
        result.largestMargin = std::max(result.largestMargin, truth.margin);
      }
    }
  }
  if (result.steps == 0)
    return badInput("the recording has no step with two log-probabilities");
  result.meanDifference /= static_cast<double>(result.steps);
  return result;
}

Result<void> checkAgreement(const Agreement& agreement, const AgreementBounds& bounds) {
  const auto fail = [](auto... parts) { return makeError(ErrorCode::kSelfCheckFailed, parts...); };
  if (agreement.otherBest > 0 && agreement.largestMargin >= bounds.margin)
    return fail("another best token where the recorded margin is ", agreement.largestMargin, "; the bound is ",
                bounds.margin);
  const double share = static_cast<double>(agreement.otherBest) / static_cast<double>(agreement.steps);
  if (share > bounds.otherBestShare)
    return fail("another best token in ", agreement.otherBest, " of ", agreement.steps, " steps; the bound is ",
                bounds.otherBestShare * 100, " %");
  if (!(agreement.meanDifference <= bounds.meanDifference))
    return fail("the mean difference of log-probabilities is ", agreement.meanDifference, "; the bound is ",
                bounds.meanDifference);
  return {};
}

} // namespace llcuda::reference
