// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/call_builder.h"

#include <bit>

#include "codegen/pack/pack.h"

namespace llcuda::codegen {

std::string layoutText(WeightLayout layout) {
  return "llcuda::WeightLayout::" + std::string(pack::layoutEnumerator(layout));
}

std::string activationText(Activation activation) {
  return activation == Activation::kSilu ? "llcuda::Activation::kSilu" : "llcuda::Activation::kGeluTanh";
}

std::string bitsText(float value) {
  constexpr char kDigits[] = "0123456789abcdef";
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  std::string text;
  for (int shift = 28; shift >= 0; shift -= 4) text += kDigits[bits >> shift & 15];
  return text;
}

} // namespace llcuda::codegen
