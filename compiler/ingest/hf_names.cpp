// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/hf_names.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace llcuda::ingest {
namespace {

using Kind = HfName::Kind;

// The text part of a model that also sees has one of the first two, a text model the third; one that was saved without
// its head, to make embeddings, has none.
constexpr std::string_view kModelPrefixes[] = {
    "model.language_model.", "language_model.model.", "model.", "bert.", "roberta.", ""};
constexpr std::string_view kHeads[] = {"lm_head", "language_model.lm_head"};
constexpr std::string_view kOtherParts[] = {"vision_tower.", "multi_modal_projector.",
                                            "audio_tower.",  "embed_vision.",
                                            "embed_audio.",  "vision_model.",
                                            "visual.",       "projector.",
                                            "mlp_AR.",       "mtp."};
// bitsandbytes keeps these beside a quantised `<module>.weight`, the last two beside the module.
constexpr std::string_view kWeightParts[] = {"absmax",
                                             "quant_map",
                                             "nested_absmax",
                                             "nested_quant_map",
                                             "quant_state.bitsandbytes__nf4",
                                             "quant_state.bitsandbytes__fp4"};
constexpr std::string_view kModuleParts[] = {"SCB", "weight_format"};

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix))
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// The number that `text` begins with, written as std::to_string writes it; it is taken off.
std::optional<std::string_view> takeNumber(std::string_view& text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0 || digits > 4 || (digits > 1 && text[0] == '0'))
    return std::nullopt;
  const std::string_view number = text.substr(0, digits);
  text.remove_prefix(digits);
  return number;
}

/// The number before the next dot; it and the dot are taken off.
std::optional<std::string_view> takeLayer(std::string_view& text) {
  std::string_view rest = text;
  const std::optional<std::string_view> layer = takeNumber(rest);
  if (!layer || !take(rest, "."))
    return std::nullopt;
  text = rest;
  return layer;
}

std::string_view lookUp(std::span<const HfModule> modules, std::string_view hf, bool isTensor) {
  const auto found = std::ranges::find(modules, hf, &HfModule::hf);
  return found == modules.end() || found->isTensor != isTensor ? std::string_view() : found->gguf;
}

/// The GGUF name of a module of one expert, empty for others.
std::string lookUpExpert(std::span<const HfModule> modules, std::string_view hf) {
  for (const HfModule& module : modules) {
    const size_t star = module.hf.find('*');
    std::string_view rest = hf;
    if (star == module.hf.npos || !take(rest, module.hf.substr(0, star)))
      continue;
    if (const auto number = takeNumber(rest); number && rest == module.hf.substr(star + 1))
      return std::string(module.gguf.substr(0, module.gguf.find('*'))) + std::string(*number);
  }
  return "";
}

/// What a Hugging Face file calls the module of one expert; empty for others.
std::string hfExpertOf(std::span<const HfModule> modules, std::string_view gguf) {
  const size_t dot = gguf.rfind('.');
  for (const HfModule& module : modules)
    if (dot != gguf.npos && module.gguf.ends_with(".*") &&
        gguf.substr(0, dot + 1) == module.gguf.substr(0, module.gguf.size() - 1)) {
      const size_t star = module.hf.find('*');
      return std::string(module.hf.substr(0, star)) + std::string(gguf.substr(dot + 1)) +
             std::string(module.hf.substr(star + 1));
    }
  return "";
}

/// The GGUF name of a module, or of one that is a tensor itself; empty for an unknown one.
std::string moduleName(std::string_view module, const HfNaming& naming, bool isTensor = false) {
  if (std::ranges::find(kHeads, module) != std::end(kHeads))
    return "output";
  std::ranges::any_of(kModelPrefixes, [&](std::string_view prefix) { return take(module, prefix); });
  if (module.find('*') != module.npos) // a pattern of names, and no name
    return "";
  if (!take(module, naming.layers))
    return std::string(lookUp(naming.model, module, isTensor));
  const std::optional<std::string_view> layer = takeLayer(module);
  std::string name(lookUp(naming.layer, module, isTensor));
  if (name.empty() && !isTensor)
    name = lookUpExpert(naming.layer, module);
  return layer && !name.empty() ? "blk." + std::string(*layer) + "." + name : "";
}

/// `<module>.<part>` with a part of `parts`.
HfName companion(std::string_view name, std::string_view between, std::span<const std::string_view> parts,
                 const HfNaming& naming) {
  for (const std::string_view part : parts) {
    const std::string suffix = std::string(between) + std::string(part);
    if (!name.ends_with(suffix))
      continue;
    const std::string module = moduleName(name.substr(0, name.size() - suffix.size()), naming);
    if (!module.empty())
      return {Kind::kCompanion, module + ".weight", std::string(part)};
  }
  return {};
}

/// The scales of blocks of MXFP4, which are tensors themselves: `<name>_scales` beside `<name>_blocks`.
HfName blockScales(std::string_view name, const HfNaming& naming) {
  constexpr std::string_view kScales = "_scales";
  if (!name.ends_with(kScales))
    return {};
  const std::string blocks = std::string(name.substr(0, name.size() - kScales.size())) + "_blocks";
  const std::string module = moduleName(blocks, naming, /*isTensor=*/true);
  return module.empty() ? HfName() : HfName{Kind::kCompanion, module + ".weight", "scales"};
}

bool isOtherPart(std::string_view name, const HfNaming& naming) {
  const auto begins = [&](std::string_view prefix) { return name.starts_with(prefix); };
  if (std::ranges::any_of(naming.others, begins))
    return true;
  take(name, "model.");
  return std::ranges::any_of(kOtherParts, begins);
}

} // namespace

std::string_view HfNaming::embedding() const {
  const auto found = std::ranges::find(model, "token_embd", &HfModule::gguf);
  return found == model.end() ? std::string_view() : found->hf;
}

HfName translateHfName(std::string_view name, const HfNaming& naming) {
  if (isOtherPart(name, naming))
    return {Kind::kOtherPart, "", ""};
  if (name.ends_with(".rotary_emb.inv_freq") || name.ends_with("embeddings.position_ids"))
    return {Kind::kDerived, "", ""};
  for (const std::string_view suffix : {".weight", ".bias"})
    if (name.ends_with(suffix))
      if (const std::string module = moduleName(name.substr(0, name.size() - suffix.size()), naming); !module.empty())
        return {Kind::kTensor, module + std::string(suffix), ""};
  if (const std::string module = moduleName(name, naming, /*isTensor=*/true); !module.empty())
    return {Kind::kTensor, module + ".weight", ""};
  if (HfName found = companion(name, ".weight.", kWeightParts, naming); found.kind != Kind::kUnknown)
    return found;
  if (HfName found = blockScales(name, naming); found.kind != Kind::kUnknown)
    return found;
  return companion(name, ".", kModuleParts, naming);
}

std::string hfNameOf(std::string_view gguf, const HfNaming& naming, std::string_view prefix) {
  const size_t dot = gguf.rfind('.');
  const std::string_view suffix = gguf.substr(std::min(dot, gguf.size()));
  std::string_view module = gguf.substr(0, dot);
  if (module == "output")
    return std::string(kHeads[0]) + std::string(suffix);
  std::string before(prefix);
  std::span<const HfModule> modules = naming.model;
  if (take(module, "blk."))
    if (const auto layer = takeLayer(module)) {
      before += std::string(naming.layers) + std::string(*layer) + ".";
      modules = naming.layer;
    }
  const auto found = std::ranges::find(modules, module, &HfModule::gguf);
  if (found != modules.end())
    return before + std::string(found->hf) + (found->isTensor ? "" : std::string(suffix));
  const std::string expert = hfExpertOf(modules, module);
  return expert.empty() ? std::string(gguf) : before + expert + std::string(suffix);
}

} // namespace llcuda::ingest
