// SPDX-License-Identifier: Apache-2.0
#include "compiler/ingest/quantization.h"

#include <algorithm>
#include <cctype>

#include "compiler/ingest/encode_rows.h"
#include "compiler/ingest/message_parts.h"

namespace llcuda::ingest {
namespace {

using formats::TensorType;

constexpr std::string_view kQuantizations[] = {"f16", "q8_0", "q4_0", "q4_k_m", "q5_k_m", "q6_k", "nf4"};
constexpr std::string_view kHeads[] = {"keep", "q8_0", "q6_k"};

template <typename Enum, size_t kCount>
Result<Enum> byName(const std::string_view (&names)[kCount], std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto* found = std::ranges::find(names, lower);
  if (found != std::end(names))
    return static_cast<Enum>(found - names);
  std::string all;
  for (const std::string_view known : names) all += (all.empty() ? "" : ", ") + std::string(known);
  return usageError(Quoted{name}, " is not one of ", all);
}

/// Layers whose values and down projections get more bits: the first and last eighth, and every third between.
bool getsMoreBits(uint64_t layer, uint64_t layers) {
  const uint64_t eighth = layers / 8;
  return layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2;
}

/// Small tensors whose errors would be large, and what is no weight: biases of experts are matrices too. What a router
/// chooses is all or nothing; an embedding of positions is added to each row; weights of convolutions are vectors to
/// kernels; a recurrent state goes by alpha and beta.
bool isKept(std::string_view name) {
  constexpr std::string_view kKept[] = {"position_embd.weight", "_norm.weight",   ".ffn_gate_inp.weight",
                                        "conv.weight",          "_conv1d.weight", ".ssm_alpha.weight",
                                        ".ssm_beta.weight"};
  return !name.ends_with(".weight") ||
         std::ranges::any_of(kKept, [&](std::string_view kept) { return name.ends_with(kept); });
}

/// A mix of llama.cpp: `base` for most tensors, `fused` for fused queries, keys and values, Q6_K for the sensitive
/// ones.
TensorType mixedType(const TensorInfo& tensor, const QuantizedModel& model, TensorType base, TensorType fused) {
  const std::string_view name = tensor.name;
  if (name == model.head)
    return TensorType::kQ6_K;
  if (name.ends_with(".attn_qkv.weight"))
    return fused;
  const bool sensitive =
      name.ends_with(".attn_v.weight") || name.ends_with(".ffn_down.weight") || name.ends_with(".ffn_down_exps.weight");
  return sensitive && getsMoreBits(layerOf(name).value_or(0), model.layers) ? TensorType::kQ6_K : base;
}

/// Attention is a small part of a model of eight experts: more bits for it cost little.
std::optional<TensorType> beside8Experts(std::string_view name, Quantization quantization) {
  if (name.ends_with(".attn_k.weight") || name.ends_with(".attn_v.weight"))
    return TensorType::kQ8_0;
  if (quantization == Quantization::kQ4_K_M && name.ends_with(".attn_output.weight"))
    return TensorType::kQ5_K;
  return std::nullopt;
}

TensorType mixOf(const TensorInfo& tensor, const QuantizedModel& model, Quantization quantization) {
  if (isKept(tensor.name))
    return tensor.type;
  const bool ofLlama = quantization != Quantization::kF16 && quantization != Quantization::kNf4;
  if (model.experts == 8 && ofLlama)
    if (const auto type = beside8Experts(tensor.name, quantization))
      return *type;
  switch (quantization) {
  case Quantization::kF16:
    return TensorType::kF16;
  case Quantization::kQ8_0:
    return TensorType::kQ8_0;
  case Quantization::kQ4_0:
    if (tensor.name == model.head)
      return TensorType::kQ6_K;
    // An importance matrix leaves the first down projections too rough for a scale alone.
    return model.weighted && tensor.name.ends_with(".ffn_down.weight") &&
                   layerOf(tensor.name).value_or(0) < model.layers / 8
               ? TensorType::kQ4_1
               : TensorType::kQ4_0;
  case Quantization::kQ4_K_M:
    return mixedType(tensor, model, TensorType::kQ4_K, TensorType::kQ5_K);
  case Quantization::kQ5_K_M:
    return mixedType(tensor, model, TensorType::kQ5_K, TensorType::kQ6_K);
  case Quantization::kQ6_K:
    return TensorType::kQ6_K;
  case Quantization::kNf4:
    return tensor.name == model.head || tensor.name == "token_embd.weight" ? tensor.type : TensorType::kNf4;
  }
  return tensor.type;
}

/// What serves rows that blocks of `type` do not divide.
TensorType withSmallerBlocks(TensorType type) {
  switch (type) {
  case TensorType::kQ4_K:
    return TensorType::kQ5_0;
  case TensorType::kQ5_K:
    return TensorType::kQ5_1;
  case TensorType::kQ6_K:
    return TensorType::kQ8_0;
  case TensorType::kNf4:
    return TensorType::kNf4Short;
  default:
    return TensorType::kF16;
  }
}

TensorType fitting(TensorType type, uint64_t columns) {
  while (columns % formats::tensorTypeInfo(type).blockElements != 0) type = withSmallerBlocks(type);
  return type;
}

} // namespace

std::string_view quantizationName(Quantization quantization) {
  return kQuantizations[static_cast<size_t>(quantization)];
}

Result<Quantization> quantizationByName(std::string_view name) {
  return byName<Quantization>(kQuantizations, name);
}

Result<HeadEncoding> headEncodingByName(std::string_view name) {
  return byName<HeadEncoding>(kHeads, name);
}

bool isFloat(TensorType type) {
  return type == TensorType::kF32 || type == TensorType::kF16 || type == TensorType::kBF16;
}

TensorType wantedType(const TensorInfo& tensor, const QuantizedModel& model, const QuantizeOptions& options) {
  if (tensor.dims.size() < 2)
    return tensor.type;
  TensorType wanted = tensor.type;
  if (options.quantization)
    wanted = mixOf(tensor, model, *options.quantization);
  if (options.head && tensor.name == model.head)
    wanted = *options.head == HeadEncoding::kQ8_0   ? TensorType::kQ8_0
             : *options.head == HeadEncoding::kQ6_K ? TensorType::kQ6_K
                                                    : tensor.type;
  return wanted == tensor.type ? wanted : fitting(wanted, columnsOf(tensor));
}

Result<TensorType> quantizedType(const TensorInfo& tensor, const QuantizedModel& model,
                                 const QuantizeOptions& options) {
  const TensorType wanted = wantedType(tensor, model, options);
  if (wanted != tensor.type && !isFloat(tensor.type))
    return unsupported("is ", formats::tensorTypeInfo(tensor.type).name, " already; ",
                       options.head && tensor.name == model.head ? "--head" : "--quantize",
                       " takes f32, f16 and bf16: leave it out, or start from the 16-bit model");
  return wanted;
}

} // namespace llcuda::ingest
