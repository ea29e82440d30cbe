// SPDX-License-Identifier: Apache-2.0
#include "runtime/text/sampling_defaults.h"

#include <algorithm>
#include <cstdint>

namespace llcuda::text {
namespace {

constexpr double kLargest = 1e6, kLargestInteger = INT32_MAX;
constexpr SamplingRule kRules[] = {
    {"temperature", "general.sampling.temp", "temperature", 0, kLargest, false},
    {"top_k", "general.sampling.top_k", "top_k", -1, kLargestInteger, false},
    {"top_p", "general.sampling.top_p", "top_p", 0, 1, true},
    {"min_p", "general.sampling.min_p", "min_p", 0, 1, false},
    {"typical_p", nullptr, "typical_p", 0, 1, true},
    {"xtc_probability", "general.sampling.xtc_probability", nullptr, 0, 1, false},
    {"xtc_threshold", "general.sampling.xtc_threshold", nullptr, 0, 1, false},
    {"repeat_last_n", "general.sampling.penalty_last_n", nullptr, -1, kLargestInteger, false},
    {"repeat_penalty", "general.sampling.penalty_repeat", "repetition_penalty", 0, kLargest, true},
    {"mirostat", "general.sampling.mirostat", nullptr, 0, 2, false},
    {"mirostat_tau", "general.sampling.mirostat_tau", nullptr, 0, kLargest, false},
    {"mirostat_eta", "general.sampling.mirostat_eta", nullptr, 0, kLargest, false},
};

struct StageName {
  std::string_view name;
  char letter;
};
constexpr StageName kStages[] = {{"penalties", 'e'},  {"dry", 'd'},       {"top_n_sigma", 's'}, {"top-n-sigma", 's'},
                                 {"top_k", 'k'},      {"top-k", 'k'},     {"typ_p", 'y'},       {"typical_p", 'y'},
                                 {"typical-p", 'y'},  {"typical", 'y'},   {"typ-p", 'y'},       {"typ", 'y'},
                                 {"top_p", 'p'},      {"top-p", 'p'},     {"nucleus", 'p'},     {"min_p", 'm'},
                                 {"min-p", 'm'},      {"xtc", 'x'},       {"temperature", 't'}, {"temp", 't'},
                                 {"adaptive_p", 'a'}, {"adaptive-p", 'a'}};
constexpr std::size_t kMaxStages = 12;

} // namespace

std::span<const SamplingRule> samplingRules() {
  return kRules;
}

const SamplingRule* samplingRule(std::string_view name) {
  const auto* const found =
      std::ranges::find(kRules, name, [](const SamplingRule& rule) { return std::string_view(rule.name); });
  return found == std::end(kRules) ? nullptr : found;
}

std::optional<char> samplingStage(std::string_view name) {
  const auto* const found = std::ranges::find(kStages, name, &StageName::name);
  return found == std::end(kStages) ? std::nullopt : std::optional(found->letter);
}

std::optional<std::string> samplingStages(std::string_view names) {
  std::string letters;
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(';'), names.size());
    const std::optional<char> letter = samplingStage(names.substr(0, end));
    if (!letter)
      return std::nullopt;
    letters += *letter;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return letters;
}

bool areSamplingStages(std::string_view letters) {
  return letters.size() <= kMaxStages && std::ranges::all_of(letters, [](char letter) {
           return std::ranges::find(kStages, letter, &StageName::letter) != std::end(kStages);
         });
}

} // namespace llcuda::text
