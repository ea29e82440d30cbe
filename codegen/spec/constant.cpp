// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/constant.h"

#include <bit>
#include <utility>

#include "codegen/pack/pack.h"
#include "codegen/spec/source_text.h"

namespace llcuda::codegen {
namespace {

std::string layoutText(WeightLayout layout) {
  return "llcuda::WeightLayout::" + std::string(pack::layoutEnumerator(layout));
}

/// Enumerator and name.
std::pair<const char*, const char*> activationTexts(Activation activation) {
  switch (activation) {
  case Activation::kSilu:
    return {"kSilu", "silu"};
  case Activation::kGeluTanh:
    return {"kGeluTanh", "gelu_tanh"};
  case Activation::kSwigluOai:
    return {"kSwigluOai", "swiglu_oai"};
  case Activation::kSigmoid:
    return {"kSigmoid", "sigmoid"};
  case Activation::kGeluErf:
    return {"kGeluErf", "gelu_erf"};
  case Activation::kTanh:
    return {"kTanh", "tanh"};
  }
  return {};
}

} // namespace

Constant number(const std::string& letter, uint64_t value) {
  return {std::to_string(value), letter + std::to_string(value)};
}

Constant optionalNumber(const std::string& letter, uint64_t value) {
  return value != 0 ? number(letter, value) : Constant{"0", ""};
}

Constant flag(const std::string& shown, bool value) {
  return {value ? "true" : "false", value ? shown : ""};
}

Constant real(const std::string& letter, float value) {
  return {floatLiteral(value), letter + hexText(std::bit_cast<uint32_t>(value))};
}

Constant layout(WeightLayout value) {
  return {layoutText(value), std::string(pack::layoutFormat(value))};
}

Constant asMember(const Members& members) {
  Constant constant;
  for (const auto& [name, member] : members) {
    constant.value += (constant.value.empty() ? "{." : ", .") + name + " = " + member.value;
    constant.shown += (constant.shown.empty() || member.shown.empty() ? "" : "_") + member.shown;
  }
  constant.value += "}";
  return constant;
}

Constant activation(Activation value) {
  const auto [enumerator, shown] = activationTexts(value);
  return {std::string("llcuda::Activation::") + enumerator, shown};
}

Constant rowOrder(RowOrder value) {
  switch (value) {
  case RowOrder::kRows:
    return {"llcuda::RowOrder::kRows", ""};
  case RowOrder::kEightRows:
    return {"llcuda::RowOrder::kEightRows", "eight"};
  case RowOrder::kFragments:
    break;
  }
  return {"llcuda::RowOrder::kFragments", "frag"};
}

Members rowForms(bool f32, bool int8, RowOrder order, bool halves) {
  Members forms = {
      {"f32", flag("f32", f32)}, {"int8", flag("q8", int8)}, {"order", rowOrder(int8 ? order : RowOrder::kRows)}};
  if (halves)
    forms.push_back({"halves", flag("f16", true)});
  return forms;
}

std::string hexText(uint32_t bits) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text += kDigits[bits >> shift & 15];
  return text;
}

} // namespace llcuda::codegen
