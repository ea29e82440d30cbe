// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/lora_config.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "compiler/ingest/json_text.h"
#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {
namespace {

using nlohmann::json;
using Exceptions = std::vector<LoraConfig::Exception>;

constexpr double kMaxRank = 65536;

// Keys that need no reading: they say how the adapter was trained, or name what its file holds anyway.
// fan_in_fan_out concerns layers that no model of ours has; PEFT itself ignores it for linear layers.
constexpr std::string_view kWithoutEffect[] = {
    "auto_mapping",    "bias",           "corda_config",        "eva_config",    "exclude_modules",   "fan_in_fan_out",
    "inference_mode",  "layers_pattern", "layers_to_transform", "loftq_config",  "lora_dropout",      "lora_ga_config",
    "megatron_config", "megatron_core",  "modules_to_save",     "peft_version",  "qalora_group_size", "revision",
    "runtime_config",  "target_modules", "task_type",           "unsloth_fixed", "unsloth_version",
};
constexpr std::string_view kRead[] = {"peft_type",
                                      "base_model_name_or_path",
                                      "r",
                                      "lora_alpha",
                                      "use_rslora",
                                      "ensure_weight_tying",
                                      "rank_pattern",
                                      "alpha_pattern",
                                      "init_lora_weights",
                                      "use_dora",
                                      "lora_bias",
                                      "trainable_token_indices"};
// Initialisations that leave the base as it was.
constexpr std::string_view kPlainStarts[] = {"gaussian", "orthogonal", "eva", "mpo_init"};

template <size_t kCount>
bool contains(const std::string_view (&names)[kCount], std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

bool isOff(const json& value) {
  return value.is_null() || value == false || value == "none" || (value.is_structured() && value.empty());
}

std::string shown(const json& value) {
  return value.dump(-1, ' ', true, json::error_handler_t::replace);
}

class ConfigReader {
public:
  explicit ConfigReader(const json& root) : root(root) {}

  Result<LoraConfig> read() {
    LLCUDA_RETURN_IF_ERROR(checkMethod());
    LoraConfig config;
    LLCUDA_RETURN_IF_ERROR(number("r", 1, kMaxRank, config.rank));
    LLCUDA_RETURN_IF_ERROR(number("lora_alpha", -1e6, 1e6, config.alpha));
    LLCUDA_RETURN_IF_ERROR(flag("use_rslora", config.rootOfRank));
    LLCUDA_RETURN_IF_ERROR(flag("ensure_weight_tying", config.tiesHead));
    LLCUDA_RETURN_IF_ERROR(flag("use_dora", config.hasMagnitudes));
    LLCUDA_RETURN_IF_ERROR(flag("lora_bias", config.hasBiases));
    LLCUDA_RETURN_IF_ERROR(trainedTokens(config.trainedTokens));
    LLCUDA_RETURN_IF_ERROR(pattern("rank_pattern", 1, kMaxRank, config.ranks));
    LLCUDA_RETURN_IF_ERROR(pattern("alpha_pattern", -1e6, 1e6, config.alphas));
    if (const auto base = root.find("base_model_name_or_path"); base != root.end() && base->is_string())
      config.baseModel = base->get<std::string>();
    return config;
  }

private:
  Result<void> checkMethod() const {
    const auto type = root.find("peft_type");
    if (type == root.end() || *type != "LORA")
      return unsupported("peft_type is ", type == root.end() ? "absent" : shown(*type),
                         "; this version reads LORA alone");
    if (const auto start = root.find("init_lora_weights"); start != root.end() && start->is_string())
      if (!contains(kPlainStarts, start->get<std::string>()))
        return unsupported("init_lora_weights is ", shown(*start),
                           ", which changes the base; convert the adapter to plain LoRA with PEFT first");
    for (const auto& [key, value] : root.items())
      if (!contains(kRead, key) && !contains(kWithoutEffect, key) && !isOff(value))
        return unsupported(Quoted{key}, " is ", Quoted{shown(value)}, "; this version reads LoRA and DoRA alone");
    return {};
  }

  Result<void> number(const char* key, double low, double high, double& out) const {
    const auto found = root.find(key);
    return found == root.end() ? Result<void>() : bounded(key, *found, low, high, out);
  }

  Result<void> bounded(std::string_view key, const json& value, double low, double high, double& out) const {
    if (!value.is_number() || !(value.get<double>() >= low && value.get<double>() <= high))
      return badInput(Quoted{key}, " is ", Quoted{shown(value)}, ", not a number from ", low, " to ", high);
    out = value.get<double>();
    return {};
  }

  Result<void> flag(const char* key, bool& out) const {
    const auto found = root.find(key);
    if (found == root.end() || found->is_null())
      return {};
    if (!found->is_boolean())
      return badInput(Quoted{key}, " is ", Quoted{shown(*found)}, ", not true or false");
    out = found->get<bool>();
    return {};
  }

  Result<void> pattern(const char* key, double low, double high, Exceptions& out) const {
    const auto found = root.find(key);
    if (found == root.end() || isOff(*found))
      return {};
    if (!found->is_object())
      return badInput(Quoted{key}, " is ", Quoted{shown(*found)}, ", not an object");
    for (const auto& [name, value] : found->items()) {
      if (name.find_first_of("\\^$*+?()[]{}|") != std::string::npos)
        return unsupported(Quoted{key}, " has the regular expression ", Quoted{name},
                           "; this version reads names of modules");
      LLCUDA_RETURN_IF_ERROR(bounded(name, value, low, high, out.emplace_back(name, 0).value));
    }
    return {};
  }

  /// A list of the embeddings' tokens, or lists by module.
  Result<void> trainedTokens(std::vector<LoraConfig::TrainedTokens>& out) const {
    constexpr const char* kKey = "trainable_token_indices";
    const auto found = root.find(kKey);
    if (found == root.end() || isOff(*found))
      return {};
    if (!found->is_object())
      return tokens(kKey, *found, out.emplace_back().tokens);
    for (const auto& [module, list] : found->items())
      LLCUDA_RETURN_IF_ERROR(tokens(module, list, out.emplace_back(module, std::vector<uint32_t>()).tokens));
    return {};
  }

  Result<void> tokens(std::string_view key, const json& list, std::vector<uint32_t>& out) const {
    if (!list.is_array())
      return badInput(Quoted{key}, " is ", Quoted{shown(list)}, ", not a list of tokens");
    for (const json& token : list) {
      if (!token.is_number_unsigned() || token.get<uint64_t>() > INT32_MAX)
        return badInput(Quoted{key}, " has ", Quoted{shown(token)}, ", which is not a token");
      out.push_back(token.get<uint32_t>());
    }
    std::vector<uint32_t> sorted = out;
    std::ranges::sort(sorted);
    if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end())
      return badInput(Quoted{key}, " has the token ", *twice, " twice");
    return {};
  }

  const json& root;
};

/// Whether `name` is the module's path or the end of it.
bool names(std::string_view name, std::string_view module) {
  return module == name || (module.ends_with(name) && module[module.size() - name.size() - 1] == '.');
}

double valueOf(const Exceptions& exceptions, std::string_view module, double otherwise) {
  for (const auto& [name, value] : exceptions)
    if (names(name, module))
      return value;
  return otherwise;
}

} // namespace

uint64_t LoraConfig::rankOf(std::string_view module) const {
  return static_cast<uint64_t>(valueOf(ranks, module, rank));
}

double LoraConfig::scaleOf(std::string_view module) const {
  const double divisor = static_cast<double>(rankOf(module));
  return valueOf(alphas, module, alpha) / (rootOfRank ? std::sqrt(divisor) : divisor);
}

const std::vector<uint32_t>* LoraConfig::tokensOf(std::string_view module) const {
  for (const TrainedTokens& trained : trainedTokens)
    if (trained.module.empty() || names(trained.module, module))
      return &trained.tokens;
  return nullptr;
}

Result<LoraConfig> readLoraConfig(const std::string& path) {
  LLCUDA_ASSIGN_OR_RETURN(const json root, readJsonFile(path));
  if (!root.is_object())
    return badInput(path, ": is not a JSON object");
  Result<LoraConfig> config = ConfigReader(root).read();
  if (!config)
    return makeError(config.error().code, path, ": ", config.error().message);
  return config;
}

} // namespace llcuda::ingest
