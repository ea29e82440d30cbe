// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/sampling_defaults.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "runtime/base/result.h"

namespace llcuda::ingest {
namespace {

void add(text::SamplingDefaults& defaults, const text::SamplingRule& rule, const std::string& key,
         std::optional<double> value, std::vector<std::string>& notes) {
  if (value && rule.allows(*value))
    defaults.numbers[rule.name] = *value;
  else
    notes.push_back(value ? detail::concat(key, " is ", *value, ", which is out of range, and was left out")
                          : key + " is no number and was left out");
}

} // namespace

text::SamplingDefaults readSamplingDefaults(const GgufFile& file, std::vector<std::string>& notes) {
  constexpr const char* kSequence = "general.sampling.sequence";
  text::SamplingDefaults defaults;
  for (const text::SamplingRule& rule : text::samplingRules())
    if (const GgufValue* value = rule.ggufKey ? file.find(rule.ggufKey) : nullptr)
      add(defaults, rule, rule.ggufKey, value->asDouble(), notes);
  if (const GgufValue* value = file.find(kSequence)) {
    const auto names = value->asString();
    const auto stages = names ? text::samplingStages(*names) : std::nullopt;
    if (stages && text::areSamplingStages(*stages))
      defaults.stages = *stages;
    else
      notes.push_back(std::string(kSequence) + " names a stage that there is not, and was left out");
  }
  return defaults;
}

text::SamplingDefaults readSamplingDefaults(const nlohmann::json& config, std::vector<std::string>& notes) {
  text::SamplingDefaults defaults;
  for (const text::SamplingRule& rule : text::samplingRules()) {
    const auto found = rule.huggingFace && config.is_object() ? config.find(rule.huggingFace) : config.end();
    if (found == config.end() || found->is_null())
      continue;
    add(defaults, rule, std::string("generation_config.json: ") + rule.huggingFace,
        found->is_number() ? std::optional(found->get<double>()) : std::nullopt, notes);
  }
  return defaults;
}

} // namespace llcuda::ingest
