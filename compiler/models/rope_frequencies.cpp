// SPDX-License-Identifier: Apache-2.0
#include "compiler/models/rope_frequencies.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "codegen/reference/elementary.h"
#include "codegen/reference/rope_table.h"

namespace llcuda::models {
namespace {

// Slow pairs are slowed by the factor, fast ones stay, and those between change smoothly, by how many wavelengths fit
// into the original context.
void scaleLlama3(const RopeConfig& rope, double originalContext, std::vector<double>& frequencies) {
  for (double& frequency : frequencies) {
    const double turns = originalContext * frequency / (2 * std::numbers::pi);
    if (turns > rope.highFrequencyFactor)
      continue;
    if (turns < rope.lowFrequencyFactor) {
      frequency /= rope.factor;
      continue;
    }
    const double kept = (turns - rope.lowFrequencyFactor) / (rope.highFrequencyFactor - rope.lowFrequencyFactor);
    frequency *= (1 - kept) / rope.factor + kept;
  }
}

// The pair (as a real number) that turns `turns` times within the original context.
double pairOfTurns(const RopeConfig& rope, double originalContext, double turns) {
  return rope.dimensions * reference::logarithm(originalContext / (turns * 2 * std::numbers::pi)) /
         (2 * reference::logarithm(rope.base));
}

void scaleYarn(const RopeConfig& rope, double originalContext, std::vector<double>& frequencies) {
  const double first = pairOfTurns(rope, originalContext, rope.betaFast);
  const double last = pairOfTurns(rope, originalContext, rope.betaSlow);
  const double low = std::max(0.0, rope.truncated ? std::floor(first) : first);
  const double high = std::min(rope.dimensions - 1.0, rope.truncated ? std::ceil(last) : last);
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / std::max(0.001, high - low), 0.0, 1.0);
    const double kept = (1 - ramp) * rope.extensionFactor;
    frequencies[i] = frequencies[i] / rope.factor * (1 - kept) + frequencies[i] * kept;
  }
}

double magnitudeOf(const RopeConfig& rope, double originalContext) {
  if (rope.attentionFactor != 0)
    return rope.attentionFactor;
  if (rope.factor <= 1)
    return 1;
  if (rope.scaling == RopeScaling::kYarn)
    return 1 + 0.1 * reference::logarithm(rope.factor);
  if (rope.scaling == RopeScaling::kLongRope)
    return std::sqrt(1 + reference::logarithm(rope.factor) / reference::logarithm(originalContext));
  return 1;
}

} // namespace

RopeAngles ropeAngles(const RopeConfig& rope, uint32_t trainedContext, uint32_t context) {
  const double originalContext = rope.originalContext != 0 ? rope.originalContext : trainedContext;
  std::vector<double> frequencies = reference::ropeFrequencies(rope.dimensions, rope.base);
  const auto divide = [&](const std::vector<double>& divisors) {
    for (size_t i = 0; i < divisors.size(); ++i) frequencies[i] /= divisors[i];
  };
  divide(rope.divisors);
  switch (rope.scaling) {
  case RopeScaling::kNone:
    break;
  case RopeScaling::kLinear:
    for (double& frequency : frequencies) frequency /= rope.factor;
    break;
  case RopeScaling::kYarn:
    scaleYarn(rope, originalContext, frequencies);
    break;
  case RopeScaling::kLlama3:
    scaleLlama3(rope, originalContext, frequencies);
    break;
  case RopeScaling::kLongRope:
    divide(context > originalContext ? rope.longFactors : rope.shortFactors);
    break;
  }
  return {std::move(frequencies), magnitudeOf(rope, originalContext)};
}

} // namespace llcuda::models
