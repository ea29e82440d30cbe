// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-run/sampler_options.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include "runtime/base/result.h"
#include "runtime/text/sampling_defaults.h"

namespace llcuda::run {
namespace {

using S = api::Sampler;
constexpr double kLargest = 1e6, kWhole = INT32_MAX;

constexpr SamplerField kFields[] = {
    {"temperature", "--temp,--temperature", &S::temperature, 0, kLargest, false,
     "Temperature; 0: always the most likely token"},
    {"dynatemp_range", "--dynatemp-range", &S::dynatempRange, 0, kLargest, false,
     "How far the temperature follows the entropy, up and down; 0: not at all"},
    {"dynatemp_exponent", "--dynatemp-exp", &S::dynatempExponent, 0, kLargest, false, "Exponent with which it does"},
    {"top_k", "--top-k", &S::topK, -1, kWhole, false, "Keep the k most likely tokens; 0: all"},
    {"top_p", "--top-p", &S::topP, 0, 1, true, "Keep the most likely tokens up to this sum"},
    {"min_p", "--min-p", &S::minP, 0, 1, false, "Keep tokens with this share of the best one's probability"},
    {"typical_p", "--typical,--typical-p", &S::typicalP, 0, 1, true, "Keep the most typical tokens up to this sum"},
    {"top_n_sigma", "--top-nsigma,--top-n-sigma", &S::topNSigma, -kLargest, kLargest, false,
     "Keep logits within so many deviations of the best; up to 0: all"},
    {"xtc_probability", "--xtc-probability", &S::xtcProbability, 0, 1, false,
     "How often the most likely tokens are left out"},
    {"xtc_threshold", "--xtc-threshold", &S::xtcThreshold, 0, 1, false,
     "Probability from which on they are, all but the last; above 0.5: never"},
    {"repeat_last_n", "--repeat-last-n", &S::repeatLastN, -1, kWhole, false,
     "Tokens that penalties look back; 0: off, -1: all"},
    {"repeat_penalty", "--repeat-penalty", &S::repeatPenalty, 0, kLargest, true, "Divides logits of repeated tokens"},
    {"presence_penalty", "--presence-penalty", &S::presencePenalty, -kLargest, kLargest, false,
     "Taken off logits of repeated tokens"},
    {"frequency_penalty", "--frequency-penalty", &S::frequencyPenalty, -kLargest, kLargest, false,
     "Taken off once for each time that a token came"},
    {"dry_multiplier", "--dry-multiplier", &S::dryMultiplier, 0, kLargest, false,
     "Penalty of going on with a repetition; 0: off"},
    {"dry_base", "--dry-base", &S::dryBase, 0, kLargest, false, "Its growth with each repeated token"},
    {"dry_allowed_length", "--dry-allowed-length", &S::dryAllowedLength, 0, kWhole, false,
     "Repeated tokens without growth"},
    {"dry_penalty_last_n", "--dry-penalty-last-n", &S::dryPenaltyLastN, -1, kWhole, false,
     "Tokens that dry looks back; 0: off, -1: all"},
    {"mirostat", "--mirostat", &S::mirostat, 0, 2, false,
     "Mirostat 1 or 2 in place of the samplers but temperature; 0: off"},
    {"mirostat_eta", "--mirostat-lr", &S::mirostatEta, 0, kLargest, false, "How fast mirostat learns"},
    {"mirostat_tau", "--mirostat-ent", &S::mirostatTau, 0, kLargest, false, "Surprise that mirostat aims at, in bits"},
    {"adaptive_target", "--adaptive-target", &S::adaptiveTarget, -kLargest, 1, false,
     "Probability that adaptive_p aims at, where --samplers has it; below 0: off"},
    {"adaptive_decay", "--adaptive-decay", &S::adaptiveDecay, 0, 0.99, false, "How long adaptive_p remembers"},
};

/// "123+1.5", "123-2", "123-inf"
std::optional<llcuda_logit_bias> parseBias(const std::string& text) {
  llcuda_logit_bias bias = {};
  const char* const end = text.data() + text.size();
  const auto [sign, error] = std::from_chars(text.data(), end, bias.token);
  if (error != std::errc() || sign == end || (*sign != '+' && *sign != '-'))
    return std::nullopt;
  const std::string number(sign + 1, end);
  if (number == "inf" && *sign == '-') {
    bias.bias = -std::numeric_limits<float>::infinity();
    return bias;
  }
  float size = 0;
  const auto [stop, bad] = std::from_chars(number.data(), number.data() + number.size(), size);
  if (bad != std::errc() || stop != number.data() + number.size() || !std::isfinite(size) || number[0] == '-')
    return std::nullopt;
  bias.bias = *sign == '-' ? -size : size;
  return bias;
}

void addNumber(CLI::App& app, const SamplerField& field, SamplerFlags& flags) {
  const double standard = field.of(S());
  auto* option = app.add_option_function<double>(
      field.flags,
      [&flags, &field](double number) {
        flags.given.push_back([&field, number](S& sampler) { field.set(sampler, number); });
      },
      field.description);
  option->check([&field](const std::string& text) {
    double number = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool isNumber = error == std::errc() && stop == text.data() + text.size();
    if (isNumber && number <= field.most && (field.excludesLeast ? number > field.least : number >= field.least) &&
        (!field.isWhole() || number == std::floor(number)))
      return std::string();
    return detail::concat(text, " is no ", field.isWhole() ? "whole number " : "number ",
                          field.excludesLeast ? "above " : "from ", field.least,
                          field.excludesLeast ? " and up to " : " to ", field.most);
  });
  option->type_name(field.isWhole() ? "INT" : "FLOAT")->default_str(detail::concat(standard));
}

void addLists(CLI::App& app, SamplerFlags& flags) {
  const auto add = [&flags](auto set) { flags.given.push_back(std::move(set)); };
  app.add_option_function<std::string>(
         "--samplers",
         [add](const std::string& names) {
           add([letters = *text::samplingStages(names)](S& sampler) { sampler.stages = letters; });
         },
         "Samplers in their order, with ; between them")
      ->check([](const std::string& names) {
        const auto letters = text::samplingStages(names);
        return letters && text::areSamplingStages(*letters)
                   ? std::string()
                   : names + " are no samplers; there are penalties, dry, top_n_sigma, top_k, typ_p, top_p, min_p, "
                             "xtc, temperature, adaptive_p, up to 12 of them";
      })
      ->default_str("penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature");
  app.add_option_function<std::string>(
         "--sampling-seq,--sampler-seq",
         [add](const std::string& letters) { add([letters](S& sampler) { sampler.stages = letters; }); },
         "The same by letters")
      ->check([](const std::string& letters) {
        return text::areSamplingStages(letters) ? std::string()
                                                : letters + " has another letter than e d s k y p m x t a, or over 12";
      })
      ->default_str(S().stages);
  app.add_option_function<std::vector<std::string>>(
         "-l,--logit-bias",
         [add](const std::vector<std::string>& biases) {
           add([biases](S& sampler) {
             for (const std::string& bias : biases) sampler.logitBias.push_back(*parseBias(bias));
           });
         },
         "Added to the logit of a token: 15043+1 or 15043-inf; may be given more than once")
      ->type_name("ID(+|-)BIAS")
      ->check([](const std::string& bias) {
        return parseBias(bias) ? std::string() : bias + " is no bias, as 15043+1.5 and 15043-inf are";
      });
  app.add_option_function<std::vector<std::string>>(
         "--dry-sequence-breaker",
         [add](const std::vector<std::string>& breakers) {
           add([breakers](S& sampler) {
             sampler.drySequenceBreakers.clear();
             for (const std::string& breaker : breakers)
               if (breaker != "none")
                 sampler.drySequenceBreakers.push_back(breaker);
           });
         },
         "A string that a repetition does not reach across, instead of \\n : \" *; none: no string")
      ->type_name("STRING");
  app.add_option_function<uint32_t>(
         "--min-keep", [add](uint32_t count) { add([count](S& sampler) { sampler.minKeep = count; }); },
         "Tokens that top_p, min_p, typ_p and xtc leave at least")
      ->check(CLI::Range(0, INT32_MAX))
      ->default_str("0");
}

} // namespace

double SamplerField::of(const api::Sampler& sampler) const {
  return std::visit([&](auto member) { return static_cast<double>(sampler.*member); }, value);
}

void SamplerField::set(api::Sampler& sampler, double number) const {
  std::visit(
      [&](auto member) {
        auto& field = sampler.*member;
        field = static_cast<std::remove_reference_t<decltype(field)>>(number);
      },
      value);
}

std::span<const SamplerField> samplerFields() {
  return kFields;
}

void addSamplerFlags(CLI::App& app, SamplerFlags& flags) {
  for (const SamplerField& field : kFields) addNumber(app, field, flags);
  addLists(app, flags);
}

} // namespace llcuda::run
