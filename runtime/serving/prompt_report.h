// SPDX-License-Identifier: Apache-2.0
// What a request reads of its prompt beside the next token: how likely the prompt's tokens are, or one row that stands
// for all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "runtime/exec/session.h"
#include "runtime/serving/request.h"

namespace llcuda::serving {

/// What one run was asked for, to be found in its output.
struct PromptReading {
  uint32_t firstToken = 0; ///< of the prompt, the first that was scored
  uint32_t scores = 0;     ///< tokens from there on
  uint32_t blocks = 0;     ///< of rows that the part takes: sums of it, where the run has such
  bool pools = false;      ///< some of its rows are summed
  bool last = false;       ///< nothing more is read

  bool isEmpty() const { return scores == 0 && !pools; }
};

/// Of one request. Rows are asked for once, however often a prompt is computed.
class PromptReport {
public:
  /// `whole`: rows see the whole prompt, all of which has to be computed.
  PromptReport(const RequestOptions& options, uint32_t promptTokens, Pooling pooling, bool whole = false);

  /// Tokens of the prompt that have to be computed for it; 0 where nothing is read.
  uint32_t rows() const { return wantedRows; }
  bool scores() const { return scored; }
  bool pools() const { return pooling != Pooling::kDefault; }

  /// Adds to a part, which begins at position part.first, what is to be read of its rows. `sequence` begins with the
  /// prompt; `room` holds the tokens that are scored and outlives the run.
  PromptReading ask(PromptPart& part, std::span<const int32_t> sequence, uint32_t rowBlock, std::vector<int32_t>& room);
  /// Adds sums of rows, one after another.
  void addSums(std::span<const float> sums, uint32_t embedding);
  /// The sum over what was pooled, of length 1; zeros where it has none. kBadInput: it is not finite.
  Result<std::vector<float>> vector() const;

private:
  bool scored;
  Pooling pooling;
  uint32_t promptTokens;
  uint32_t wantedRows = 0, askedRows = 0;
  std::vector<double> sum;
};

} // namespace llcuda::serving
