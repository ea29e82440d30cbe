// SPDX-License-Identifier: Apache-2.0
#include "runtime/serving/prompt_report.h"

#include <algorithm>
#include <cmath>

namespace llcuda::serving {

PromptReport::PromptReport(const RequestOptions& options, uint32_t promptTokens, Pooling pooling, bool whole)
    : scored(options.promptLogprobs >= 0), pooling(options.task == Task::kEmbed ? pooling : Pooling::kDefault),
      promptTokens(promptTokens) {
  if (pools()) // where rows see what is before them alone, nothing behind the first one is needed of it
    wantedRows = pooling == Pooling::kCls && !whole ? 1 : promptTokens;
  else if (scored)
    wantedRows = promptTokens - 1; // the last token's row says what follows the prompt
}

PromptReading PromptReport::ask(PromptPart& part, std::span<const int32_t> sequence, uint32_t rowBlock,
                                std::vector<int32_t>& room) {
  const auto count = static_cast<uint32_t>(part.tokens.size());
  const uint32_t first = std::max(part.first, askedRows), end = std::min(part.first + count, wantedRows);
  PromptReading reading;
  reading.blocks = part.blocks(rowBlock);
  if (first >= end)
    return reading;
  askedRows = end;
  reading.last = end == wantedRows;
  if (scored) {
    room.assign(count, -1);
    for (uint32_t row = first; row < end; ++row) room[row - part.first] = sequence[row + 1];
    part.scored = room;
    reading.firstToken = first + 1;
    reading.scores = end - first;
  }
  if (pools()) {
    const uint32_t pooledFirst = pooling == Pooling::kLast ? std::max(first, wantedRows - 1) : first;
    const uint32_t pooledEnd = pooling == Pooling::kCls ? std::min(end, 1u) : end;
    reading.pools = pooledFirst < pooledEnd;
    if (reading.pools)
      part.pooled = {pooledFirst - part.first, pooledEnd - pooledFirst};
  }
  return reading;
}

void PromptReport::addSums(std::span<const float> sums, uint32_t embedding) {
  sum.resize(embedding);
  for (std::size_t i = 0; i < sums.size(); ++i) sum[i % embedding] += static_cast<double>(sums[i]);
}

Result<std::vector<float>> PromptReport::vector() const {
  double squares = 0;
  for (const double value : sum) squares += value * value;
  if (!std::isfinite(squares))
    return badInput("the rows of the prompt are no numbers: a weight is none, or values grow beyond what the engine's "
                    "types hold");
  const double scale = squares > 0 ? 1 / std::sqrt(squares) : 0; // also takes out the number of rows of a mean
  std::vector<float> values;
  for (const double value : sum) values.push_back(static_cast<float>(value * scale));
  return values;
}

} // namespace llcuda::serving
