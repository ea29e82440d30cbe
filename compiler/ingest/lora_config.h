// SPDX-License-Identifier: Apache-2.0
// adapter_config.json of PEFT: how much of each low-rank product is added to its weight.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.h"

namespace llcuda::ingest {

struct LoraConfig {
  /// A rank or alpha of the modules whose path is `name` or ends with `.name`.
  struct Exception {
    std::string name;
    double value;
  };

  /// Embeddings of which some tokens were trained, in the order in which the file has their rows.
  struct TrainedTokens {
    std::string module; ///< its path ends so; empty: every module that has such rows
    std::vector<uint32_t> tokens;
  };

  std::string baseModel; ///< as the adapter's author had it: a folder, or a name on a hub; may be empty
  double rank = 8;
  double alpha = 8;
  bool rootOfRank = false;      ///< rslora: alpha over the root of the rank
  bool tiesHead = false;        ///< what changes the embeddings changes a tied head too
  bool hasMagnitudes = false;   ///< DoRA: rows of a changed weight get lengths of their own
  bool hasBiases = false;       ///< products bring biases
  std::vector<Exception> ranks; ///< the first that matches counts
  std::vector<Exception> alphas;
  std::vector<TrainedTokens> trainedTokens;

  uint64_t rankOf(std::string_view module) const;
  /// What the product of a module's matrices is multiplied by.
  double scaleOf(std::string_view module) const;
  /// Whose rows a module brings; nullptr where the file names none.
  const std::vector<uint32_t>* tokensOf(std::string_view module) const;
};

/// Reads the file of an adapter's folder. Everything that would change the weights and that is not read here is
/// kUnsupported and named: methods other than LoRA and DoRA, initialisations that change the base.
Result<LoraConfig> readLoraConfig(const std::string& path);

} // namespace llcuda::ingest
