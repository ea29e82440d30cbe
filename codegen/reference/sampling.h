// SPDX-License-Identifier: Apache-2.0
// The chain of docs/sampling.md over one row of logits, stage by stage as its formulas stand there: which tokens are
// left and how likely each is.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "codegen/formats/sampling.h"

namespace llcuda::reference {

struct Candidate {
  int id;
  double logit;
  double probability;
};
using Candidates = std::vector<Candidate>;

/// What a chain knows beside the logits.
struct SamplerInput {
  std::vector<float> logits;
  std::vector<LogitBias> biases;
  std::vector<bool> allowed;              ///< empty: all
  std::vector<int> tokens;                ///< of the sequence
  std::vector<std::vector<int>> breakers; ///< of dry: tokens that follow one another
  double xtcDraw = 0;                     ///< in [0, 1): below its probability xtc applies
  double state[2] = {0, 0};               ///< mirostat: mu; adaptive_p: S and W
};

/// Most likely first, of equal logits the lowest id, with their probabilities.
inline void order(Candidates& candidates) {
  std::ranges::stable_sort(candidates, [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  });
  double sum = 0;
  for (Candidate& c : candidates) sum += c.probability = std::exp(c.logit - candidates[0].logit);
  for (Candidate& c : candidates) c.probability /= sum;
}

inline double entropyOf(const Candidates& candidates) {
  double entropy = 0;
  for (const Candidate& c : candidates)
    if (c.probability > 0)
      entropy -= c.probability * std::log(c.probability);
  return entropy;
}

/// The last `most` tokens, newest first.
inline std::vector<int> past(const SamplerInput& input, uint32_t most) {
  std::vector<int> newest(input.tokens.rbegin(), input.tokens.rend());
  newest.resize(std::min<size_t>(newest.size(), most));
  return newest;
}

inline void penalise(Candidates& candidates, const SamplerProgram& program, const SamplerInput& input) {
  std::map<int, int> times;
  for (const int token : past(input, program.penaltyTokens)) ++times[token];
  for (Candidate& c : candidates) {
    const int count = times[c.id];
    if (count == 0)
      continue;
    c.logit = c.logit <= 0 ? c.logit * program.repeat : c.logit / program.repeat;
    c.logit -= count * static_cast<double>(program.frequency) + program.presence;
  }
}

/// Distance from the newest token to the newest breaker's end, at most all.
inline size_t distanceToBreaker(const std::vector<int>& h, const SamplerInput& input) {
  for (size_t i = 0; i < h.size(); ++i) { // a breaker that begins i before the newest
    size_t longest = 0;
    for (const std::vector<int>& breaker : input.breakers) {
      if (breaker.size() > i + 1)
        continue;
      bool same = true;
      for (size_t k = 0; k < breaker.size(); ++k) same &= h[i - k] == breaker[k];
      if (same)
        longest = std::max(longest, breaker.size());
    }
    if (longest != 0)
      return i + 1 - longest;
  }
  return h.size();
}

inline void dry(Candidates& candidates, const SamplerProgram& program, const SamplerInput& input) {
  const std::vector<int> h = past(input, program.dryTokens);
  const size_t allowed = program.dryAllowed, n = h.size();
  const size_t limit = distanceToBreaker(h, input);
  if (n <= allowed || limit < allowed)
    return;
  std::map<int, size_t> lengths;
  for (size_t k = 1; k < n; ++k) {
    size_t m = 0;
    while (m < limit && k + m < n && h[m] == h[k + m]) ++m;
    if (m >= allowed)
      lengths[h[k - 1]] = std::max(lengths[h[k - 1]], m);
  }
  for (const std::vector<int>& breaker : input.breakers)
    if (breaker.size() == 1)
      lengths.erase(breaker[0]);
  for (Candidate& c : candidates)
    if (const auto found = lengths.find(c.id); found != lengths.end()) {
      double exponent = static_cast<double>(found->second - allowed);
      if (program.dryMaxExponent != 0)
        exponent = std::min<double>(exponent, program.dryMaxExponent);
      c.logit -= program.dryMultiplier * std::exp2(exponent * static_cast<double>(program.dryLog2Base));
    }
}

/// Those below the limit get no probability, and stay candidates.
inline void topNSigma(Candidates& candidates, double deviations) {
  double mean = 0, variance = 0, count = 0;
  for (const Candidate& c : candidates)
    if (std::isfinite(c.logit))
      mean += c.logit, ++count;
  mean /= count;
  for (const Candidate& c : candidates)
    if (std::isfinite(c.logit))
      variance += (c.logit - mean) * (c.logit - mean);
  const double limit = candidates[0].logit - deviations * std::sqrt(variance / count);
  for (Candidate& c : candidates)
    if (c.logit < limit)
      c.logit = -std::numeric_limits<double>::infinity();
}

inline void topK(Candidates& candidates, size_t k) {
  candidates.resize(std::min(candidates.size(), std::max<size_t>(k, 1)));
}

inline void typical(Candidates& candidates, double share, size_t minKeep) {
  const double entropy = entropyOf(candidates);
  const auto deviation = [&](const Candidate& c) {
    return c.probability > 0 ? std::abs(-std::log(c.probability) - entropy) : std::numeric_limits<double>::infinity();
  };
  std::ranges::stable_sort(candidates,
                           [&](const Candidate& a, const Candidate& b) { return deviation(a) < deviation(b); });
  double sum = 0;
  size_t kept = 0;
  while (kept < candidates.size() && (kept < std::max<size_t>(minKeep, 1) || sum <= share))
    sum += candidates[kept++].probability;
  candidates.resize(kept);
}

inline void topP(Candidates& candidates, double share, size_t minKeep) {
  double sum = 0;
  size_t kept = 0;
  while (kept < candidates.size() && (kept < std::max<size_t>(minKeep, 1) || sum < share))
    sum += candidates[kept++].probability;
  candidates.resize(kept);
}

inline void minP(Candidates& candidates, double share, size_t minKeep) {
  const double lowest = candidates[0].logit + std::log(share);
  size_t kept = 0;
  while (kept < candidates.size() && (kept < std::max<size_t>(minKeep, 1) || candidates[kept].logit >= lowest)) ++kept;
  candidates.resize(kept);
}

inline void xtc(Candidates& candidates, double chance, double threshold, size_t minKeep, double draw) {
  if (draw >= chance)
    return;
  size_t reach = 0;
  while (reach < candidates.size() && candidates[reach].probability >= threshold) ++reach;
  if (reach >= 2 && candidates.size() - (reach - 1) >= minKeep)
    candidates.erase(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(reach - 1));
}

inline void temperature(Candidates& candidates, double t, double range, double exponent) {
  if (range > 0) {
    if (candidates.size() <= 1)
      return;
    const double share = entropyOf(candidates) / std::log(static_cast<double>(candidates.size()));
    const double low = std::max(0., t - range);
    t = low + (t + range - low) * std::pow(share, exponent);
  }
  if (t > 0)
    for (Candidate& c : candidates) c.logit /= t;
  else
    candidates.resize(1);
}

/// The probabilities that the draw goes by; `logit` keeps what it was.
inline void adaptive(Candidates& candidates, double target, const double (&state)[2]) {
  const double goal = std::clamp(2 * target - state[0] / state[1], 0., 1.);
  double sum = 0;
  for (Candidate& c : candidates) {
    const double d = std::abs(c.probability - goal) / 0.3;
    sum += c.probability = c.probability > 0 ? std::exp(5 - 10 * d * d / (1 + d)) : 0;
  }
  for (Candidate& c : candidates) c.probability /= sum;
}

inline void mirostat1(Candidates& candidates, double mu, size_t vocabulary) {
  double products = 0, squares = 0;
  for (size_t i = 0; i + 1 < std::min<size_t>(candidates.size(), 100); ++i) {
    if (!std::isfinite(candidates[i + 1].logit))
      break;
    const double t = std::log(static_cast<double>(i + 2) / static_cast<double>(i + 1));
    products += t * (candidates[i].logit - candidates[i + 1].logit);
    squares += t * t;
  }
  const double s = products / squares, e = s - 1;
  const double k = std::pow(e * std::exp2(mu) / (1 - std::pow(static_cast<double>(vocabulary), -e)), 1 / s);
  topK(candidates, k >= 1 ? static_cast<size_t>(std::min(k, 1e9)) : 1);
}

inline void mirostat2(Candidates& candidates, double mu) {
  size_t kept = 0;
  while (kept < candidates.size() && (kept == 0 || -std::log2(candidates[kept].probability) <= mu)) ++kept;
  candidates.resize(kept);
}

/// The candidates in the order in which a draw goes through them.
inline Candidates samplingCandidates(const SamplerInput& input, const SamplerProgram& program) {
  Candidates candidates;
  for (size_t i = 0; i < input.logits.size(); ++i) {
    const bool allowed = input.allowed.empty() || input.allowed[i];
    candidates.push_back(
        {static_cast<int>(i), allowed ? input.logits[i] : -std::numeric_limits<double>::infinity(), 0});
  }
  for (const LogitBias& bias : input.biases) candidates[static_cast<size_t>(bias.token)].logit += bias.bias;
  order(candidates);
  for (uint32_t s = 0; s < program.stageCount; ++s) {
    const SamplerStage& stage = program.stages[s];
    switch (stage.op) {
    case SamplerOp::kPenalties:
      penalise(candidates, program, input);
      break;
    case SamplerOp::kDry:
      dry(candidates, program, input);
      break;
    case SamplerOp::kTopNSigma:
      topNSigma(candidates, stage.a);
      break;
    case SamplerOp::kTopK:
      topK(candidates, stage.n);
      break;
    case SamplerOp::kTypical:
      typical(candidates, stage.a, program.minKeep);
      break;
    case SamplerOp::kTopP:
      topP(candidates, stage.a, program.minKeep);
      break;
    case SamplerOp::kMinP:
      minP(candidates, stage.a, program.minKeep);
      break;
    case SamplerOp::kXtc:
      xtc(candidates, stage.a, stage.b, program.minKeep, input.xtcDraw);
      break;
    case SamplerOp::kTemperature:
      temperature(candidates, stage.a, stage.b, program.dynatempExponent);
      break;
    case SamplerOp::kAdaptive:
      adaptive(candidates, stage.a, input.state);
      return candidates;
    case SamplerOp::kMirostat1:
      mirostat1(candidates, input.state[0], input.logits.size());
      break;
    case SamplerOp::kMirostat2:
      mirostat2(candidates, input.state[0]);
      break;
    }
    order(candidates);
  }
  return candidates;
}

} // namespace llcuda::reference
