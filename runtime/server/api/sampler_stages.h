// SPDX-License-Identifier: Apache-2.0
// The stages of sampling by name and by letter, as `samplers` has them.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace llcuda::server {

struct SamplerStage {
  std::string_view name;
  char letter; ///< of llama.cpp's --sampling-seq
};

inline constexpr std::size_t kMostStages = 12;

inline constexpr std::array kSamplerStages = std::to_array<SamplerStage>({
    {"penalties", 'e'},
    {"dry", 'd'},
    {"top_n_sigma", 's'},
    {"top_k", 'k'},
    {"typ_p", 'y'},
    {"top_p", 'p'},
    {"min_p", 'm'},
    {"xtc", 'x'},
    {"temperature", 't'},
    {"adaptive_p", 'a'},
});

inline const SamplerStage* stageOfLetter(char letter) {
  for (const SamplerStage& stage : kSamplerStages)
    if (stage.letter == letter)
      return &stage;
  return nullptr;
}

/// Also by the names that llama.cpp takes besides.
inline const SamplerStage* stageNamed(std::string_view name) {
  struct Alias {
    std::string_view alias, name;
  };
  constexpr std::array kAliases = std::to_array<Alias>({{"top-k", "top_k"},
                                                        {"top-p", "top_p"},
                                                        {"nucleus", "top_p"},
                                                        {"typical-p", "typ_p"},
                                                        {"typical", "typ_p"},
                                                        {"typical_p", "typ_p"},
                                                        {"typ-p", "typ_p"},
                                                        {"typ", "typ_p"},
                                                        {"min-p", "min_p"},
                                                        {"temp", "temperature"},
                                                        {"top-n-sigma", "top_n_sigma"},
                                                        {"adaptive-p", "adaptive_p"}});
  for (const Alias& alias : kAliases)
    if (alias.alias == name)
      name = alias.name;
  for (const SamplerStage& stage : kSamplerStages)
    if (stage.name == name)
      return &stage;
  return nullptr;
}

inline std::string stageNames() {
  std::string names;
  for (const SamplerStage& stage : kSamplerStages) names += (names.empty() ? "" : ", ") + std::string(stage.name);
  return names;
}

inline std::string stageLetters() {
  std::string letters;
  for (const SamplerStage& stage : kSamplerStages) letters += stage.letter;
  return letters;
}

} // namespace llcuda::server
