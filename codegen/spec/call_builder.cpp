// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/call_builder.h"

#include <bit>

namespace llcuda::codegen {

std::string layoutText(WeightLayout layout) {
  switch (layout) {
  case WeightLayout::kF32Rows:
    return "llcuda::WeightLayout::kF32Rows";
  case WeightLayout::kF16Rows:
    return "llcuda::WeightLayout::kF16Rows";
  case WeightLayout::kQ4_0Planes:
    return "llcuda::WeightLayout::kQ4_0Planes";
  case WeightLayout::kQ4_1Planes:
    return "llcuda::WeightLayout::kQ4_1Planes";
  case WeightLayout::kQ8_0Planes:
    return "llcuda::WeightLayout::kQ8_0Planes";
  case WeightLayout::kQ5_0Planes:
    return "llcuda::WeightLayout::kQ5_0Planes";
  case WeightLayout::kQ5_1Planes:
    return "llcuda::WeightLayout::kQ5_1Planes";
  case WeightLayout::kQ2_KPlanes:
    return "llcuda::WeightLayout::kQ2_KPlanes";
  case WeightLayout::kQ3_KPlanes:
    return "llcuda::WeightLayout::kQ3_KPlanes";
  case WeightLayout::kQ4_KPlanes:
    return "llcuda::WeightLayout::kQ4_KPlanes";
  case WeightLayout::kQ5_KPlanes:
    return "llcuda::WeightLayout::kQ5_KPlanes";
  case WeightLayout::kQ6_KPlanes:
    return "llcuda::WeightLayout::kQ6_KPlanes";
  case WeightLayout::kIQ4_NLPlanes:
    return "llcuda::WeightLayout::kIQ4_NLPlanes";
  case WeightLayout::kIQ4_XSPlanes:
    return "llcuda::WeightLayout::kIQ4_XSPlanes";
  case WeightLayout::kMXFP4Planes:
    return "llcuda::WeightLayout::kMXFP4Planes";
  case WeightLayout::kNf4Planes:
    return "llcuda::WeightLayout::kNf4Planes";
  case WeightLayout::kNf4ShortPlanes:
    return "llcuda::WeightLayout::kNf4ShortPlanes";
  case WeightLayout::kFp4Planes:
    return "llcuda::WeightLayout::kFp4Planes";
  case WeightLayout::kFp4ShortPlanes:
    return "llcuda::WeightLayout::kFp4ShortPlanes";
  case WeightLayout::kS8Planes:
    return "llcuda::WeightLayout::kS8Planes";
  }
  return "";
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
