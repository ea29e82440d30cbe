// SPDX-License-Identifier: Apache-2.0
// What a service has done so far, for /metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace llcuda::server {

/// Counts of values by upper bounds, as Prometheus has them.
struct Histogram {
  static constexpr std::array<double, 16> kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                                     0.5,   1,      2.5,   5,    10,    30,   60,  120};
  std::array<uint64_t, kBounds.size()> counts = {}; ///< of each bound alone, not of those below it
  uint64_t count = 0;
  double sum = 0;

  void add(double value) {
    ++count;
    sum += value;
    for (std::size_t i = 0; i < kBounds.size(); ++i)
      if (value <= kBounds[i]) {
        ++counts[i];
        return;
      }
  }
};

/// Sums over the requests that ended or are on their way; times in seconds.
struct Totals {
  uint64_t requests = 0; ///< that were submitted
  uint64_t promptTokens = 0, cachedTokens = 0, generatedTokens = 0;
  uint64_t mostTokens = 0; ///< of a request, prompt and answer
  uint64_t unknownFields = 0;
  double promptSeconds = 0, generatedSeconds = 0;
  uint64_t generatedSteps = 0; ///< tokens behind the first of each answer: `generatedSeconds` is theirs
  Histogram firstToken, betweenTokens, wholeRequest, waiting;
};

} // namespace llcuda::server
