// SPDX-License-Identifier: Apache-2.0
// The fields of a sampler by the names that llama.cpp has for them: as flags, and in the bodies of requests.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include <CLI/CLI.hpp>

#include "llcuda/llcuda.hpp"

namespace llcuda::run {

/// A number of a sampler.
struct SamplerField {
  const char* name;  ///< in a request
  const char* flags; ///< null: there is no flag
  std::variant<float api::Sampler::*, int32_t api::Sampler::*> value;
  double least, most;
  bool excludesLeast;
  const char* description;

  bool isWhole() const { return value.index() == 1; }
  double of(const api::Sampler& sampler) const;
  void set(api::Sampler& sampler, double number) const;
};
std::span<const SamplerField> samplerFields();

/// What the command line says of sampling, to be put over what the model says.
struct SamplerFlags {
  std::vector<std::function<void(api::Sampler&)>> given; ///< in their order

  api::Sampler over(api::Sampler sampler) const {
    for (const auto& set : given) set(sampler);
    return sampler;
  }
};

/// All of llama.cpp's sampling flags but --seed and --ignore-eos. `flags` outlives the app.
void addSamplerFlags(CLI::App& app, SamplerFlags& flags);

} // namespace llcuda::run
