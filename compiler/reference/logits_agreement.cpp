// SPDX-License-Identifier: Apache-2.0
#include "compiler/reference/logits_agreement.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <nlohmann/json.hpp>

#include "runtime/base/regular_file.h"

namespace llcuda::reference {
namespace {

using nlohmann::json;

std::vector<double> centred(std::vector<double> row) {
  const double mean = std::accumulate(row.begin(), row.end(), 0.0) / static_cast<double>(row.size());
  for (double& value : row) value -= mean;
  return row;
}

Result<void> checkRecording(const std::string& path, const LogitsRecording& recording) {
  if (recording.positions.empty() || recording.positions.size() != recording.logits.size())
    return badInput(path, ": ", recording.positions.size(), " positions and ", recording.logits.size(),
                    " rows of logits");
  if (!std::ranges::is_sorted(recording.positions) || recording.positions.back() >= recording.tokens.size())
    return badInput(path, ": positions must ascend and lie within the ", recording.tokens.size(), " tokens");
  for (const auto& row : recording.logits)
    if (row.empty() || row.size() != recording.logits.front().size())
      return badInput(path, ": rows of logits differ in length, or are empty");
  return {};
}

} // namespace

Result<LogitsRecording> readLogits(const std::string& path) {
  LLCUDA_ASSIGN_OR_RETURN(const std::string text, readFile(path));
  LogitsRecording recording;
  try {
    const json object = json::parse(text);
    recording.tokens = object.at("tokens").get<std::vector<int32_t>>();
    recording.positions = object.at("positions").get<std::vector<size_t>>();
    recording.logits = object.at("logits").get<LogitsRows>();
  } catch (const json::exception& error) {
    return badInput(path, " is not a recording of logits: ", error.what());
  }
  LLCUDA_RETURN_IF_ERROR(checkRecording(path, recording));
  return recording;
}

Result<LogitsAgreement> compareLogits(const LogitsRecording& recording, const std::vector<LogitsRows>& ways) {
  LogitsAgreement agreement;
  for (const LogitsRows& rows : ways) {
    double error = 0, power = 0;
    for (size_t i = 0; i < recording.logits.size(); ++i) {
      if (rows.at(i).size() != recording.logits[i].size())
        return badInput("the model has ", rows.at(i).size(), " logits, the recording ", recording.logits[i].size());
      const std::vector<double> truth = centred(recording.logits[i]), value = centred(rows[i]);
      const std::vector<double> first = centred(ways.front()[i]);
      for (size_t c = 0; c < truth.size(); ++c) {
        error += (value[c] - truth[c]) * (value[c] - truth[c]);
        power += truth[c] * truth[c];
        // Written so that a NaN is the largest.
        if (const double difference = std::fabs(value[c] - first[c]); !(difference <= agreement.pathDifference))
          agreement.pathDifference = difference;
      }
    }
    if (!(error / power <= agreement.squaredError))
      agreement.squaredError = error / power;
  }
  return agreement;
}

LogitsBounds engineLogits(uint32_t columns) {
  constexpr double kWide = 1024;
  return {5e-4, 0.05 * std::sqrt(std::max(1.0, kWide / std::max(columns, 1u)))};
}

Result<void> checkLogits(const LogitsAgreement& agreement, const LogitsBounds& bounds) {
  const auto fail = [](auto... parts) { return makeError(ErrorCode::kSelfCheckFailed, parts...); };
  if (!(agreement.squaredError <= bounds.squaredError))
    return fail("the normalised squared error of the logits is ", agreement.squaredError, "; the bound is ",
                bounds.squaredError);
  if (!(agreement.pathDifference <= bounds.pathDifference))
    return fail("prompt and single tokens differ by ", agreement.pathDifference, "; the bound is ",
                bounds.pathDifference);
  return {};
}

} // namespace llcuda::reference
