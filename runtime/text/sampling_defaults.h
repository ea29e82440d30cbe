// SPDX-License-Identifier: Apache-2.0
// How a model wants to be sampled: what its files say over llama.cpp's defaults.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace llcuda::text {

struct SamplingDefaults {
  std::map<std::string, double> numbers; ///< by the names of samplingRules(), in their ranges
  std::string stages;                    ///< letters, as llcuda_sampler has them; empty: nothing is said
};

/// A number that a model may state, and where.
struct SamplingRule {
  const char* name; ///< llama.cpp's of a request
  const char* ggufKey;
  const char* huggingFace; ///< of generation_config.json; null: it has none
  double least, most;
  bool excludesLeast;

  bool allows(double value) const { return value <= most && (excludesLeast ? value > least : value >= least); }
};
std::span<const SamplingRule> samplingRules();
/// Null for another name.
const SamplingRule* samplingRule(std::string_view name);

/// The letter of a stage by its name, also by those that llama.cpp takes besides.
std::optional<char> samplingStage(std::string_view name);
/// "top_k;temperature" -> "kt"; nothing when a name is none of a stage.
std::optional<std::string> samplingStages(std::string_view names);
/// Whether all letters are those of stages, at most 12.
bool areSamplingStages(std::string_view letters);

} // namespace llcuda::text
