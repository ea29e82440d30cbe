// SPDX-License-Identifier: Apache-2.0
// The chain top-k, top-p, min-p, temperature over one row of logits: which tokens are left, and how likely each is
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "codegen/formats/sampling.h"

namespace llcuda::reference {

struct Candidate {
  int id;
  double logit;
  double probability;
};

/// Sets probabilities to softmax(logit / temperature).
inline void softmax(std::vector<Candidate>& candidates, double temperature) {
  double sum = 0;
  for (Candidate& c : candidates) sum += c.probability = std::exp((c.logit - candidates[0].logit) / temperature);
  for (Candidate& c : candidates) c.probability /= sum;
}

/// The tokens that are left, most likely first, those of equal logits by id. Only the most likely one when the
/// temperature is not above 0.
inline std::vector<Candidate> samplingCandidates(const std::vector<float>& logits, const SamplingParams& params) {
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < logits.size(); ++i) candidates.push_back({static_cast<int>(i), logits[i], 0});
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.logit > b.logit; });
  if (!(params.temperature > 0))
    return {{candidates[0].id, candidates[0].logit, 1}};
  if (params.topK > 0 && params.topK < candidates.size())
    candidates.resize(params.topK);
  if (params.topP < 1) {
    softmax(candidates, 1);
    double sum = 0;
    size_t kept = 0;
    while (kept < candidates.size() && (kept == 0 || sum < params.topP)) sum += candidates[kept++].probability;
    candidates.resize(kept);
  }
  if (params.minP > 0) {
    const double lowest = candidates[0].logit + std::log(static_cast<double>(params.minP));
    while (candidates.back().logit < lowest) candidates.pop_back();
  }
  softmax(candidates, params.temperature);
  return candidates;
}

} // namespace llcuda::reference
