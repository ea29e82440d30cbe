// SPDX-License-Identifier: Apache-2.0
// Launch of log_probabilities: how likely a token of each row of logits is, and which are the most likely.
#pragma once

#include "codegen/spec/kernel_spec.h"
#include "runtime/base/result.h"

namespace llcuda::codegen {

struct LogProbabilitiesDesc {
  uint32_t outputs = 1; ///< rows of logits
  uint32_t vocabulary = 1;
};

/// Names what the kernel cannot do. The launch takes only what this lets pass.
Result<void> checkLogProbabilities(const LogProbabilitiesDesc& desc);

///   logits        const float*    [outputs][vocabulary]
///   scored        const int*      [outputs]: the token of each row; negative: none
///   partial       ScoreShare*     workspace of logProbabilitiesPartialBytes()
///   arrivals      uint32_t*       counter of as many words as outputs
///   scores        TokenScore*     [outputs]: codegen/formats/token_score.h
LaunchSpec logProbabilitiesLaunch(const LogProbabilitiesDesc& desc);

uint64_t logProbabilitiesPartialBytes(const LogProbabilitiesDesc& desc);

} // namespace llcuda::codegen
